"use strict";
// A small orbit viewer for stick figures: millimetres, camera axes (x right, y down, z forward), root at the origin.
(() => {
  const box = document.getElementById("viewer");
  if (!box) return;
  const data = JSON.parse(document.getElementById("sequence").textContent);
  const names = ["truth", "before", "after"].filter((name) => name in data.tracks);
  const length = data.tracks[names[0]].length;
  const canvas = box.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const control = (act) => box.querySelector(`[data-act="${act}"]`);
  const [play, seek, time, apart, slow, reset] = ["play", "seek", "time", "apart", "slow", "reset"].map(control);
  const home = { yaw: 0.6, pitch: 0.22, zoom: 1 };
  const view = { ...home };
  const shown = new Set(names);
  let frame = Math.floor(length / 2);
  let playing = false;
  let last = 0;
  let colours = {};

  // The floor lies under the lowest joint; the size is that of the farthest joint from the root.
  let reach = 1;
  let floor = 0;
  for (const name of names) {
    for (const pose of data.tracks[name]) {
      for (const joint of pose) {
        if (!joint) continue;
        reach = Math.max(reach, Math.hypot(...joint));
        floor = Math.max(floor, joint[1]);
      }
    }
  }

  const readColours = () => {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["before", "after", "truth", "line", "paper", "soft"]) {
      colours[name] = style.getPropertyValue(`--${name}`).trim();
    }
  };

  const fit = () => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  };

  // Turn about the vertical axis, then tip towards the eye, then project with a mild perspective.
  const projector = () => {
    const [sy, cy, sp, cp] = [Math.sin(view.yaw), Math.cos(view.yaw), Math.sin(view.pitch), Math.cos(view.pitch)];
    const far = reach * 5;
    const wide = apart.getAttribute("aria-pressed") === "true" ? shown.size : 1;
    const scale = (view.zoom * 0.47 * Math.min(canvas.height, (canvas.width / Math.max(wide, 1)) * 1.12)) / reach;
    return ([x, y, z], shift) => {
      const [turnedX, turnedZ] = [cy * x + sy * z, cy * z - sy * x];
      const [tippedY, depth] = [cp * y - sp * turnedZ, cp * turnedZ + sp * y];
      const near = far / (far + depth);
      return [canvas.width / 2 + shift + turnedX * scale * near, canvas.height / 2 + tippedY * scale * near, depth, near];
    };
  };

  const line = (a, b, colour, width, dash) => {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(a[0], a[1]);
    pen.lineTo(b[0], b[1]);
    pen.stroke();
  };

  const drawFloor = (project, shift, unit) => {
    const size = reach * 0.62;
    for (let i = -3; i <= 3; i += 1) {
      const at = (size * i) / 3;
      line(project([at, floor, -size], shift), project([at, floor, size], shift), colours.line, unit, []);
      line(project([-size, floor, at], shift), project([size, floor, at], shift), colours.line, unit, []);
    }
  };

  const drawPose = (name, project, shift, unit) => {
    const pose = data.tracks[name][Math.floor(frame)];
    const points = pose.map((joint) => joint && project(joint, shift));
    const limbs = data.limbs.filter(([a, b]) => points[a] && points[b]);
    limbs.sort(([a, b], [c, d]) => points[c][2] + points[d][2] - points[a][2] - points[b][2]);
    const dash = { before: [9 * unit, 4 * unit], truth: [2 * unit, 5 * unit], after: [] }[name];
    pen.lineCap = "round";
    for (const [a, b] of limbs) {
      const width = (data.left[a] || data.left[b] ? 2.6 : 4.4) * unit * points[a][3];
      line(points[a], points[b], colours.paper, width + 2.5 * unit, []);
      line(points[a], points[b], colours[name], width, dash);
    }
    pen.setLineDash([]);
    pen.fillStyle = colours[name];
    for (const point of points) {
      if (!point) continue;
      pen.beginPath();
      pen.arc(point[0], point[1], 3.2 * unit * point[3], 0, 2 * Math.PI);
      pen.fill();
    }
  };

  const draw = () => {
    const unit = window.devicePixelRatio || 1;
    const side = apart.getAttribute("aria-pressed") === "true";
    const visible = ["before", "after", "truth"].filter((name) => shown.has(name));
    const project = projector();
    pen.clearRect(0, 0, canvas.width, canvas.height);
    const column = canvas.width / Math.max(visible.length, 1);
    const shiftOf = (i) => (side ? column * (i + 0.5) - canvas.width / 2 : 0);
    if (side) visible.forEach((_, i) => drawFloor(project, shiftOf(i), unit));
    else drawFloor(project, 0, unit);
    visible.forEach((name, i) => {
      drawPose(name, project, shiftOf(i), unit);
      if (!side) return;
      pen.fillStyle = colours[name];
      pen.font = `600 ${13 * unit}px system-ui, sans-serif`;
      pen.textAlign = "center";
      pen.fillText(name, canvas.width / 2 + shiftOf(i), 20 * unit);
    });
    const whole = Math.floor(frame);
    seek.value = whole;
    time.textContent = `${whole + 1} / ${length}`;
    Object.assign(box.dataset, { frame: whole, yaw: view.yaw.toFixed(3), zoom: view.zoom.toFixed(3), shown: visible.join(" ") });
  };

  const tick = (now) => {
    if (!playing) return;
    const speed = slow.getAttribute("aria-pressed") === "true" ? 0.25 : 1;
    frame = (frame + ((now - last) / 1000) * data.fps * speed) % length;
    last = now;
    draw();
    requestAnimationFrame(tick);
  };

  const setPlaying = (on) => {
    playing = on;
    play.setAttribute("aria-pressed", String(on));
    play.textContent = on ? "Pause" : "Play";
    if (!on) return;
    last = performance.now();
    requestAnimationFrame(tick);
  };

  const step = (by) => {
    setPlaying(false);
    frame = (Math.floor(frame) + by + length) % length;
    draw();
  };

  const turn = (yaw, pitch) => {
    view.yaw += yaw;
    view.pitch = Math.min(1.5, Math.max(-1.5, view.pitch + pitch));
    draw();
  };

  const zoom = (factor) => {
    view.zoom = Math.min(6, Math.max(0.3, view.zoom * factor));
    draw();
  };

  const goHome = () => {
    Object.assign(view, home);
    draw();
  };

  const keys = {
    ArrowLeft: () => turn(0.1, 0), ArrowRight: () => turn(-0.1, 0), ArrowUp: () => turn(0, -0.1), ArrowDown: () => turn(0, 0.1),
    "+": () => zoom(1.15), "=": () => zoom(1.15), "-": () => zoom(1 / 1.15), " ": () => setPlaying(!playing),
    ",": () => step(-1), ".": () => step(1), Home: goHome,
  };
  canvas.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });

  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) turn(-event.movementX * 0.01, event.movementY * 0.01);
  });
  canvas.addEventListener("wheel", (event) => {
    // A plain wheel scrolls the page.
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * 0.002));
  }, { passive: false });

  const press = (button, then) => button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    if (then) then(on);
    draw();
  });
  play.addEventListener("click", () => setPlaying(!playing));
  press(apart);
  press(slow);
  reset.addEventListener("click", goHome);
  for (const button of box.querySelectorAll("[data-track]")) {
    press(button, (on) => (on ? shown.add(button.dataset.track) : shown.delete(button.dataset.track)));
  }
  seek.max = length - 1;
  seek.addEventListener("input", () => {
    setPlaying(false);
    frame = Number(seek.value);
    draw();
  });

  const renew = () => {
    readColours();
    fit();
    draw();
  };
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", renew);
  window.addEventListener("beforeprint", renew);
  new ResizeObserver(renew).observe(canvas);
  renew();
})();
