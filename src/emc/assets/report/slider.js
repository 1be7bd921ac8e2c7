"use strict";
// Before / after slider: one picture, two skeletons, each clipped on its side of the handle.
(() => {
  for (const figure of document.querySelectorAll("[data-slider]")) {
    const svg = figure.querySelector("svg");
    const input = figure.querySelector("input");
    const { width, height } = svg.viewBox.baseVal;
    const left = figure.querySelector("rect.left");
    const right = figure.querySelector("rect.right");
    const handle = figure.querySelector(".handle");

    const show = () => {
      const x = (width * Number(input.value)) / 100;
      left.setAttribute("width", x);
      right.setAttribute("x", x);
      right.setAttribute("width", width - x);
      handle.setAttribute("transform", `translate(${x} 0)`);
      input.setAttribute("aria-valuetext", `handle at ${input.value} %: before to its left, after to its right`);
    };

    const follow = (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      input.value = Math.round((100 * at.x) / width);
      show();
    };

    svg.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      svg.setPointerCapture(event.pointerId);
      follow(event);
    });
    svg.addEventListener("pointermove", (event) => {
      if (svg.hasPointerCapture(event.pointerId)) follow(event);
    });
    input.addEventListener("input", show);
    // A browser may restore the input's last value when the page is loaded again.
    show();
    figure.dataset.ready = height > 0 ? "yes" : "no";
  }

  const labels = document.getElementById("show-truth");
  if (labels) {
    const apply = () => document.body.classList.toggle("no-truth", !labels.checked);
    labels.addEventListener("change", apply);
    apply();
  }
})();
