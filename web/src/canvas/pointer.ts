/** The pointer on the picture: mouse, pen and fingers drag joints, place them, pan and pinch. */

import type { Point } from "../server/types";
import { toFrame, type View } from "./view";

const CLICK_PIXELS = 4;
/** A second click so soon (milliseconds) and so near is the second half of a double click. */
const DOUBLE = 400;
const DOUBLE_PIXELS: Record<string, number> = { mouse: 6, pen: 12, touch: 28 };
const REACH: Record<string, number> = { mouse: 14, pen: 18, touch: 28 };

export interface Near {
  person: number;
  joint: number;
  xy: Point;
}

export interface HeldJoint extends Near {
  what: "joint";
  /** Where the joint is now, in the frame; `grip` is how far beside it the pointer took hold. */
  at: Point;
  from: Point;
  grip: Point;
  moved: boolean;
  /** A finger hides what lies under it. */
  touch: boolean;
  /** All joints of the person go with it. */
  whole?: true;
}

export interface HeldBox {
  what: "box";
  from: Point;
  /** Opposite corners in the frame. */
  corner: Point;
  at: Point;
  moved: boolean;
}

export type Held = HeldJoint | HeldBox | { what: "view"; from: Point; start: View; moved: boolean };

export interface PointerHost {
  readonly root: HTMLElement;
  view: View;
  /** The next drag draws a box. */
  readonly drawing: boolean;
  boxed(box: HeldBox): void;
  nearest(at: Point, reach: number): Near | null;
  inside(place: Point): Point;
  zoomAt(factor: number, at: Point): void;
  settle(): void;
  draw(): void;
  /** The held joint moved: only the upper canvas is drawn, except `first`, when it leaves the lower one. */
  carried(first: boolean): void;
  dropped(held: HeldJoint): void;
  clicked(on: Near | null, at: Point): void;
  hover(near: Near | null): void;
  seen(): void;
}

export class Pointer {
  held: Held | null = null;
  /** Where the pointer is on the picture, null where it is elsewhere. */
  at: Point | null = null;
  private readonly fingers = new Map<number, Point>();
  private last: { at: Point; time: number } | null = null;

  constructor(private readonly host: PointerHost) {
    const { root } = host;
    root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    root.addEventListener("pointerdown", (event) => this.down(event));
    root.addEventListener("pointermove", (event) => this.move(event));
    root.addEventListener("pointerup", (event) => this.up(event));
    root.addEventListener("pointercancel", (event) => this.up(event, true));
    root.addEventListener("pointerleave", () => {
      if (!this.held) this.at = null;
    });
    root.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  get joint(): HeldJoint | null {
    return this.held?.what === "joint" && this.held.moved ? this.held : null;
  }

  get box(): HeldBox | null {
    return this.held?.what === "box" ? this.held : null;
  }

  /** Let a joint follow the pointer without a button held (where the pointer is elsewhere, it stays). */
  carry(near: Near): void {
    const from = this.at ?? [0, 0];
    const at = this.at ? this.host.inside(toFrame(this.host.view, this.at)) : near.xy;
    this.held = { what: "joint", ...near, at, from, grip: [0, 0], moved: true, touch: false };
    this.host.carried(true);
  }

  /** Let a whole person follow the pointer, from where both are. */
  carryBody(near: Near): void {
    const from = this.at ?? [0, 0];
    const place = this.at ? toFrame(this.host.view, this.at) : near.xy;
    const grip: Point = [near.xy[0] - place[0], near.xy[1] - place[1]];
    this.held = { what: "joint", ...near, at: near.xy, from, grip, moved: true, touch: false, whole: true };
    this.host.carried(true);
  }

  /** Let go of what is held; `keep` false: it goes back to where it was. */
  release(keep: boolean): void {
    const { held } = this;
    this.held = null;
    if (keep && held?.what === "joint" && held.moved) this.host.dropped(held);
    this.host.draw();
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    this.host.zoomAt(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0016)), this.pointOf(event));
  }

  private down(event: PointerEvent): void {
    if (event.button > 1) return;
    const { host } = this;
    host.root.setPointerCapture(event.pointerId);
    host.seen();
    const at = this.pointOf(event);
    this.at = at;
    this.fingers.set(event.pointerId, at);
    if (this.fingers.size > 1) {
      this.held = null;
      return host.draw();
    }
    if (host.drawing && event.button === 0) {
      const corner = toFrame(host.view, at);
      this.held = { what: "box", from: at, corner, at: corner, moved: false };
      return;
    }
    const near = event.button === 0 ? host.nearest(at, REACH[event.pointerType] ?? 14) : null;
    if (!near) {
      this.held = { what: "view", from: at, start: host.view, moved: false };
      return;
    }
    const place = toFrame(host.view, at);
    const grip: Point = [near.xy[0] - place[0], near.xy[1] - place[1]];
    const touch = event.pointerType === "touch";
    this.held = { what: "joint", ...near, from: at, at: near.xy, grip, moved: false, touch };
  }

  private move(event: PointerEvent): void {
    const { host, held } = this;
    const at = this.pointOf(event);
    this.at = at;
    if (this.fingers.size > 1) return this.pinch(event.pointerId, at);
    if (!held) return host.hover(host.nearest(at, REACH[event.pointerType] ?? 14));
    const moved = Math.hypot(at[0] - held.from[0], at[1] - held.from[1]);
    if (!held.moved && moved < CLICK_PIXELS) return;
    const first = !held.moved;
    held.moved = true;
    if (held.what === "view") {
      host.view = { ...held.start, x: held.start.x + at[0] - held.from[0], y: held.start.y + at[1] - held.from[1] };
      return host.settle();
    }
    if (held.what === "box") {
      held.at = toFrame(host.view, at);
      return host.carried(false);
    }
    const place = toFrame(host.view, at);
    held.at = host.inside([place[0] + held.grip[0], place[1] + held.grip[1]]);
    host.carried(first);
  }

  private up(event: PointerEvent, broken = false): void {
    const wide = this.fingers.size > 1;
    if (!this.fingers.delete(event.pointerId)) return;
    const { held } = this;
    if (!held || wide || broken) return this.release(false);
    if (held.what === "box") {
      this.held = null;
      return this.host.boxed(held);
    }
    if (held.moved) return this.release(true);
    this.held = null;
    if (!this.isDouble(event)) this.host.clicked(held.what === "joint" ? held : null, this.pointOf(event));
    this.host.draw();
  }

  /** A double click is one click: what waits for a click after the first half was not meant by the second. */
  private isDouble(event: PointerEvent): boolean {
    const [at, time, before] = [this.pointOf(event), event.timeStamp, this.last];
    this.last = { at, time };
    if (!before || time - before.time > DOUBLE) return false;
    return Math.hypot(at[0] - before.at[0], at[1] - before.at[1]) <= (DOUBLE_PIXELS[event.pointerType] ?? 6);
  }

  private pinch(finger: number, at: Point): void {
    const { host } = this;
    const other = [...this.fingers].find(([id]) => id !== finger)?.[1];
    const before = this.fingers.get(finger);
    if (!other || !before) return;
    const span = (a: Point) => Math.max(Math.hypot(a[0] - other[0], a[1] - other[1]), 1);
    this.fingers.set(finger, at);
    const { scale, x, y } = host.view;
    host.view = { scale, x: x + (at[0] - before[0]) / 2, y: y + (at[1] - before[1]) / 2 };
    host.zoomAt(span(at) / span(before), [(at[0] + other[0]) / 2, (at[1] + other[1]) / 2]);
  }

  private pointOf(event: MouseEvent): Point {
    const box = this.host.root.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
}
