/** The classic method: what is placed, and which joint is next. */

import { inside } from "../pose/margin";
import type { Point } from "../server/types";
import type { How, Task } from "./api";
import type { StudySession } from "./session";

type Places = Map<number, Point | null>;

interface Done {
  frame: number;
  joint: number;
  before: Point | null | undefined;
}

export class Classic {
  frame: number;
  joint = 0;
  changed: () => void = () => {};
  private readonly places = new Map<number, Places>();
  private readonly done: Done[] = [];

  constructor(
    readonly session: StudySession,
    readonly task: Task,
  ) {
    for (const { frame, joint, xy } of session.seat?.placed ?? []) this.placesOf(frame).set(joint, xy);
    for (const { frame = 0, joint = 0, xy = null, how } of session.unsentPlaces()) {
      if (how === "undo" && !xy) this.placesOf(frame).delete(joint);
      else this.placesOf(frame).set(joint, xy);
    }
    const [first, last] = session.stretch;
    this.frame = first;
    // Who comes back goes on with the first frame that is not whole.
    while (this.frame < last && this.placesOf(this.frame).size === task.joints.length) this.frame += 1;
    this.joint = this.firstOpen();
  }

  placesOf(frame: number): Places {
    const found = this.places.get(frame) ?? new Map<number, Point | null>();
    this.places.set(frame, found);
    return found;
  }

  /** Joints of a frame that are neither placed nor said to be hidden. */
  openOn(frame: number): number {
    return this.task.joints.length - this.placesOf(frame).size;
  }

  go(frame: number): void {
    const [first, last] = this.session.stretch;
    this.frame = Math.min(Math.max(frame, first), last);
    this.joint = this.firstOpen();
    this.changed();
  }

  choose(joint: number): void {
    this.joint = (joint + this.task.joints.length) % this.task.joints.length;
    this.changed();
  }

  clicked(at: Point): void {
    this.place(this.joint, at, "click");
    this.next();
  }

  dragged(joint: number, at: Point): void {
    this.joint = joint;
    this.place(joint, at, "drag");
  }

  hide(): void {
    this.place(this.joint, null, "hidden");
    this.next();
  }

  place(joint: number, xy: Point | null, how: How): void {
    const places = this.placesOf(this.frame);
    if (how !== "undo") this.done.push({ frame: this.frame, joint, before: places.get(joint) });
    const rounded = xy && (inside(xy, this.task).map((value) => Math.round(value * 100) / 100) as Point);
    places.set(joint, rounded);
    this.session.place(this.frame, joint, rounded, how);
    this.changed();
  }

  undo(): void {
    const last = this.done.pop();
    if (!last) return;
    const [first, end] = this.session.stretch;
    if (last.frame < first || last.frame > end) return;
    Object.assign(this, { frame: last.frame, joint: last.joint });
    this.place(last.joint, last.before ?? null, "undo");
    if (!last.before) this.placesOf(last.frame).delete(last.joint);
    this.changed();
  }

  private next(): void {
    const count = this.task.joints.length;
    for (let step = 1; step <= count; step += 1) {
      const joint = (this.joint + step) % count;
      if (!this.placesOf(this.frame).has(joint)) return this.choose(joint);
    }
    this.changed();
  }

  private firstOpen(): number {
    const open = this.task.joints.findIndex((_, joint) => !this.placesOf(this.frame).has(joint));
    return Math.max(open, 0);
  }
}
