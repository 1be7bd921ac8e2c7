/** The picture of the classic method: joints are placed by a click, and can be dragged afterwards. */

import { paintActive } from "../canvas/overlay";
import { paintLine, paintMark, paintPicture, unitOf } from "../canvas/paint";
import { colourOf } from "../canvas/palette";
import { Pictures } from "../canvas/pictures";
import { fitting, kept, toFrame, toScreen, type View, zoomed } from "../canvas/view";
import { inside, type Size } from "../pose/margin";
import { type Point, VISIBLE } from "../server/types";
import { studyApi, type Task } from "./api";

const REACH = 12;
/** A press that moves further than this (CSS pixels) is a drag. */
const STILL = 4;

export interface CanvasHost {
  readonly task: Task;
  readonly frame: number;
  readonly joint: number;
  placesOf(frame: number): ReadonlyMap<number, Point | null>;
  clicked(at: Point): void;
  dragged(joint: number, at: Point): void;
}

interface Held {
  start: Point;
  joint: number | null;
  at: Point;
  moved: boolean;
}

export class StudyCanvas {
  view: View = { scale: 1, x: 0, y: 0 };
  private readonly canvas = document.createElement("canvas");
  private readonly pictures = new Pictures();
  private readonly watching: ResizeObserver;
  private screen: Size = { width: 0, height: 0 };
  private picture: ImageBitmap | null = null;
  private pictured = -1;
  private held: Held | null = null;
  private due = false;

  constructor(
    private readonly root: HTMLElement,
    private readonly host: CanvasHost,
  ) {
    this.canvas.setAttribute("aria-hidden", "true");
    root.append(this.canvas);
    this.watching = new ResizeObserver(() => this.resized());
    this.watching.observe(root);
    root.addEventListener("pointerdown", (event) => this.pressed(event));
    root.addEventListener("pointermove", (event) => this.moved(event));
    root.addEventListener("pointerup", (event) => this.released(event));
    root.addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
  }

  close(): void {
    this.watching.disconnect();
  }

  /** Show the host's frame; the next ones are fetched ahead. */
  async show(): Promise<void> {
    const { task, frame } = this.host;
    this.pictures.sized(task.width, task.height);
    const picture = await this.pictures.get(studyApi.picture(task, frame));
    if (frame !== this.host.frame) return;
    [this.picture, this.pictured] = [picture, frame];
    this.draw();
    for (const next of [frame + 1, frame + 2]) {
      if (next < task.frames) void this.pictures.get(studyApi.picture(task, next)).catch(() => {});
    }
  }

  fit(): void {
    const { width, height } = this.host.task;
    this.view = fitting(this.screen, { x: (width - 1) / 2, y: (height - 1) / 2, width, height }, 0.02);
    this.draw();
  }

  zoom(factor: number, at: Point = [this.screen.width / 2, this.screen.height / 2]): void {
    const { width, height } = this.host.task;
    const least = Math.min(this.screen.width / width, this.screen.height / height) / 3;
    this.view = kept(zoomed(this.view, factor, at, least), this.screen, this.host.task);
    this.draw();
  }

  draw(): void {
    this.root.dataset.view = [this.view.scale, this.view.x, this.view.y].join(" ");
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      this.paint();
    });
  }

  private paint(): void {
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const { host, view } = this;
    const dense = window.devicePixelRatio || 1;
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, this.screen.width, this.screen.height);
    const here = this.pictured === host.frame;
    paintPicture(context, here ? this.picture : null, view, host.task);
    this.root.dataset.frame = here ? String(host.frame) : "";
    const unit = unitOf(this.screen);
    const places = this.places();
    for (const [a, b] of host.task.limbs) {
      const [from, to] = [places.get(a), places.get(b)];
      const left = [a, b].every((joint) => host.task.joints[joint]?.startsWith("left_"));
      if (from && to) paintLine(context, toScreen(view, from), toScreen(view, to), colourOf(0), 2.4 * unit, left);
    }
    for (const xy of places.values()) if (xy) paintMark(context, "square", toScreen(view, xy), colourOf(0), VISIBLE, unit);
    const active = places.get(host.joint);
    const name = host.task.joints[host.joint]?.replaceAll("_", " ") ?? "";
    if (active) paintActive(context, toScreen(view, active), name, { armed: false, reach: 0, unit });
  }

  private places(): Map<number, Point | null> {
    const places = new Map(this.host.placesOf(this.host.frame));
    if (this.held?.joint != null && this.held.moved) places.set(this.held.joint, toFrame(this.view, this.held.at));
    return places;
  }

  private pressed(event: PointerEvent): void {
    if (event.button !== 0) return;
    const at = this.at(event);
    this.held = { start: at, joint: this.near(at), at, moved: false };
    this.root.setPointerCapture(event.pointerId);
  }

  private moved(event: PointerEvent): void {
    const at = this.at(event);
    const { held } = this;
    if (!held) {
      this.root.style.cursor = this.near(at) === null ? "crosshair" : "grab";
      return;
    }
    if (!held.moved && Math.hypot(at[0] - held.start[0], at[1] - held.start[1]) <= STILL) return;
    if (held.joint === null) {
      const moved = { ...this.view, x: this.view.x + at[0] - held.at[0], y: this.view.y + at[1] - held.at[1] };
      this.view = kept(moved, this.screen, this.host.task);
    }
    Object.assign(held, { at, moved: true });
    this.draw();
  }

  private released(event: PointerEvent): void {
    const { held } = this;
    this.held = null;
    if (!held) return;
    const xy = inside(toFrame(this.view, this.at(event)), this.host.task);
    if (!held.moved) this.host.clicked(xy);
    else if (held.joint !== null) this.host.dragged(held.joint, xy);
    this.draw();
  }

  private wheeled(event: WheelEvent): void {
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 500), this.at(event));
  }

  private near(at: Point): number | null {
    let best: number | null = null;
    let least = REACH;
    for (const [joint, xy] of this.host.placesOf(this.host.frame)) {
      if (!xy) continue;
      const [x, y] = toScreen(this.view, xy);
      const distance = Math.hypot(x - at[0], y - at[1]);
      if (distance <= least) [best, least] = [joint, distance];
    }
    return best;
  }

  private at(event: MouseEvent): Point {
    const box = this.root.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private resized(): void {
    const { clientWidth: width, clientHeight: height } = this.root;
    const first = this.screen.width === 0;
    this.screen = { width, height };
    const dense = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * dense);
    this.canvas.height = Math.round(height * dense);
    if (first) this.fit();
    else this.draw();
  }
}
