/** The report's 3D viewer: before, after and the truth from any side, in step with the video and the joint angles. */

import { Color, MeshStandardMaterial } from "three";
import { Figure, type Place } from "../space/figure";
import { Space } from "../space/space";
import { Trail } from "../space/trail";
import { AngleCurves } from "./angles";
import { extentOf, type Name, NAMES, pictureAt, posed, type Sequence } from "./sequence";

const HOME = { around: 0.6, up: 0.18, zoom: 1 };
/** Colour alone never tells the tracks apart: before is dashed, the truth is thin. */
const LOOKS: Record<Name, { radius: number; dashes: number }> = {
  before: { radius: 0.019, dashes: 5 },
  after: { radius: 0.021, dashes: 1 },
  truth: { radius: 0.009, dashes: 1 },
};
const TRAIL_FRAMES = 20;
const TRAIL_JOINTS = /_(wrist|ankle)$/;

interface Shown {
  figure: Figure;
  trail: Trail;
  paint: MeshStandardMaterial;
}

class Viewer {
  private readonly space: Space;
  private readonly names: Name[];
  private readonly length: number;
  private readonly parts = new Map<Name, Shown>();
  private readonly shown: Set<Name>;
  private readonly curves: AngleCurves | null;
  private readonly extent;
  private frame: number;
  private playing = false;
  private last = 0;

  constructor(
    private readonly box: HTMLElement,
    private readonly sequence: Sequence,
  ) {
    this.names = NAMES.filter((name) => name in sequence.tracks);
    this.shown = new Set(this.names);
    this.length = sequence.tracks[this.names[0] as Name]?.length ?? 0;
    this.frame = Math.floor(this.length / 2);
    this.space = new Space(box.querySelector("canvas") as HTMLCanvasElement, HOME, true);
    this.extent = extentOf(sequence);
    for (const name of this.names) this.parts.set(name, this.part(name));
    const curves = box.querySelector<HTMLElement>(".angles");
    this.curves = curves ? new AngleCurves(curves, sequence, this.length, (frame) => this.seek(frame)) : null;
    this.space.drawn = () => this.told();
    this.control<HTMLInputElement>("seek").max = String(this.length - 1);
    this.listen();
    this.coloured();
    this.space.fit(Math.min(this.extent.low, this.extent.floor), this.extent.high, this.extent.wide * 0.7);
    this.show();
    this.space.drawNow();
  }

  private part(name: Name): Shown {
    const paint = new MeshStandardMaterial({ roughness: 0.6 });
    const { joints, limbs } = this.sequence;
    const figure = new Figure(joints, limbs, { paint: () => paint, ...LOOKS[name] });
    const trail = new Trail(TRAIL_FRAMES * joints.filter((joint) => TRAIL_JOINTS.test(joint)).length, new Color(), 0.012);
    figure.group.add(trail.group);
    this.space.scene.add(figure.group);
    return { figure, trail, paint };
  }

  /** Bring everything to the frame. */
  private show(): void {
    const whole = Math.floor(this.frame);
    for (const [name, { figure, trail }] of this.parts) {
      const track = this.sequence.tracks[name] ?? [];
      figure.pose(posed(track, whole));
      trail.group.visible = this.pressed("trails");
      if (trail.group.visible) trail.show(this.trails(track, whole));
    }
    const groups = [...this.parts].filter(([name]) => this.shown.has(name)).map(([, { figure }]) => figure.group);
    const hidden = [...this.parts].filter(([name]) => !this.shown.has(name)).map(([, { figure }]) => figure.group);
    this.space.columns = this.pressed("apart") && groups.length ? groups.map((group) => [group]) : [groups];
    for (const group of hidden) group.visible = false;
    this.pictured(whole);
    this.curves?.at(whole, this.shown);
    this.control<HTMLInputElement>("seek").value = String(whole);
    this.control("time").textContent = `${whole + 1} / ${this.length}`;
    this.space.draw();
    this.told();
  }

  private trails(track: Parameters<typeof posed>[0], frame: number): (Place | null)[][] {
    const joints = this.sequence.joints.flatMap((joint, i) => (TRAIL_JOINTS.test(joint) ? [i] : []));
    const poses = Array.from({ length: Math.min(TRAIL_FRAMES, frame) }, (_, i) => posed(track, frame - Math.min(TRAIL_FRAMES, frame) + i));
    return joints.map((joint) => poses.map((pose) => pose[joint] ?? null));
  }

  private pictured(frame: number): void {
    const { video } = this.sequence;
    const image = this.box.querySelector<HTMLImageElement>(".video img");
    if (!video || !image) return;
    const number = String(pictureAt(video.every, video.jpeg.length, frame));
    if (image.dataset.picture === number) return;
    image.dataset.picture = number;
    image.src = `data:image/jpeg;base64,${video.jpeg[Number(number)]}`;
  }

  /** Say what is shown, for tests and for who reads the page by other means; name the columns. */
  private told(): void {
    const { around, zoom } = this.space.look;
    const shown = this.names.filter((name) => this.shown.has(name));
    Object.assign(this.box.dataset, { frame: String(Math.floor(this.frame)), yaw: around.toFixed(3), zoom: zoom.toFixed(3), shown: shown.join(" ") });
    const labels = this.box.querySelector(".columns") as HTMLElement;
    const said = this.pressed("apart") ? shown.join(" ") : "";
    if (labels.dataset.said === said) return;
    labels.dataset.said = said;
    labels.replaceChildren(
      ...(said ? shown : []).map((name) => {
        const label = document.createElement("span");
        label.className = name;
        label.textContent = name;
        return label;
      }),
    );
  }

  private coloured(): void {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => new Color(style.getPropertyValue(`--${name}`).trim());
    for (const [name, { paint, trail }] of this.parts) {
      paint.color = colour(name);
      trail.paint(colour(name));
    }
    this.space.ground(this.extent.floor, Math.max(this.extent.wide, 0.8), colour("ground-line"));
    this.space.showGround(this.pressed("ground"));
  }

  private seek(frame: number): void {
    this.play(false);
    this.frame = frame;
    this.show();
  }

  private step(by: number): void {
    this.seek((Math.floor(this.frame) + by + this.length) % this.length);
  }

  private play(on: boolean): void {
    this.playing = on;
    const button = this.control("play");
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Pause" : "Play";
    if (!on) return;
    this.last = performance.now();
    requestAnimationFrame((now) => this.tick(now));
  }

  private tick(now: number): void {
    if (!this.playing) return;
    const speed = this.pressed("slow") ? 0.25 : 1;
    this.frame = (this.frame + (Math.max(now - this.last, 0) / 1000) * this.sequence.fps * speed) % this.length;
    this.last = now;
    this.show();
    requestAnimationFrame((later) => this.tick(later));
  }

  private control<T extends HTMLElement>(act: string): T {
    return this.box.querySelector(`[data-act="${act}"]`) as T;
  }

  private pressed(act: string): boolean {
    return this.control(act).getAttribute("aria-pressed") === "true";
  }

  private listen(): void {
    const { space } = this;
    const keys: Record<string, () => void> = {
      ArrowLeft: () => space.turn(0.1, 0),
      ArrowRight: () => space.turn(-0.1, 0),
      ArrowUp: () => space.turn(0, 0.1),
      ArrowDown: () => space.turn(0, -0.1),
      "+": () => space.zoom(1.15),
      "=": () => space.zoom(1.15),
      "-": () => space.zoom(1 / 1.15),
      " ": () => this.play(!this.playing),
      ",": () => this.step(-1),
      ".": () => this.step(1),
      Home: () => space.goHome(),
    };
    space.canvas.addEventListener("keydown", (event) => {
      const act = keys[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
      this.told();
    });
    space.canvas.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey) return; // A plain wheel scrolls the page.
        event.preventDefault();
        space.zoom(Math.exp(-event.deltaY * 0.002));
      },
      { passive: false },
    );
    this.control("play").addEventListener("click", () => this.play(!this.playing));
    this.control("reset").addEventListener("click", () => space.goHome());
    for (const name of ["camera", "side", "above"] as const) this.control(name).addEventListener("click", () => space.lookFrom(name));
    for (const act of ["apart", "slow", "trails"]) this.toggle(this.control(act), () => this.show());
    this.toggle(this.control("ground"), (on) => space.showGround(on));
    for (const button of this.box.querySelectorAll<HTMLElement>("[data-track]")) {
      const name = button.dataset.track as Name;
      this.toggle(button, (on) => {
        if (on) this.shown.add(name);
        else this.shown.delete(name);
        this.show();
      });
    }
    this.control<HTMLInputElement>("seek").addEventListener("input", (event) => this.seek(Number((event.target as HTMLInputElement).value)));
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.coloured());
    window.addEventListener("beforeprint", () => space.drawNow());
  }

  private toggle(button: HTMLElement, then: (on: boolean) => void): void {
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      then(on);
    });
  }
}

const box = document.getElementById("viewer");
if (box) {
  const sequence = JSON.parse(document.getElementById("sequence")?.textContent ?? "null") as Sequence;
  try {
    new Viewer(box, sequence);
  } catch {
    box.dataset.failed = "yes";
    (box.querySelector(".columns") as HTMLElement).textContent = "This browser cannot show 3D (no WebGL).";
  }
}
