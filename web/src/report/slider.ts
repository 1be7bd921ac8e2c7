/** Before / after slider: one picture, two skeletons, each clipped on its side of the handle. */

function started(figure: HTMLElement): void {
  const svg = figure.querySelector("svg") as SVGSVGElement;
  const input = figure.querySelector("input") as HTMLInputElement;
  const { width, height } = svg.viewBox.baseVal;
  const part = (name: string) => figure.querySelector(name) as SVGElement;
  const [left, right, handle] = [part("rect.left"), part("rect.right"), part(".handle")];

  const show = () => {
    const x = (width * Number(input.value)) / 100;
    left.setAttribute("width", String(x));
    right.setAttribute("x", String(x));
    right.setAttribute("width", String(width - x));
    handle.setAttribute("transform", `translate(${x} 0)`);
    input.setAttribute("aria-valuetext", `handle at ${input.value} %: before to its left, after to its right`);
  };
  const follow = (event: PointerEvent) => {
    const matrix = svg.getScreenCTM();
    if (!matrix) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    input.value = String(Math.round((100 * at.x) / width));
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

for (const figure of document.querySelectorAll<HTMLElement>("[data-slider]")) started(figure);

const labels = document.getElementById("show-truth") as HTMLInputElement | null;
if (labels) {
  const apply = () => document.body.classList.toggle("no-truth", !labels.checked);
  labels.addEventListener("change", apply);
  apply();
}
