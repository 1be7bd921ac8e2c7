/** The picture: two canvases, of which only the upper one is drawn while a joint is held, and the pointer. */

import { api } from "./api";
import type { Editor, Why } from "./editor";
import { colourOf, paintActive, paintHeld, paintHeldLimb, paintPeople, paintPicture, unitOf } from "./paint";
import { Pictures } from "./pictures";
import { extent } from "./poses";
import type { Clip, Point } from "./types";
import { ABSENT } from "./types";
import { fitting, inside, kept, revealing, type Size, toFrame, toScreen, type View, zoomed } from "./view";

const CLICK_PIXELS = 4;
const REACH: Record<string, number> = { mouse: 14, pen: 18, touch: 28 };

type Held =
  | { what: "joint"; person: number; joint: number; from: Point; at: Point; grip: Point; moved: boolean }
  | { what: "view"; from: Point; start: View; moved: boolean };

export class Stage {
  private readonly base: HTMLCanvasElement;
  private readonly over: HTMLCanvasElement;
  private readonly pictures = new Pictures();
  private view: View = { scale: 1, x: 0, y: 0 };
  private screen: Size = { width: 0, height: 0 };
  private picture: ImageBitmap | null = null;
  private pictured = "";
  private centre: Point | null = null;
  private held: Held | null = null;
  private readonly fingers = new Map<number, Point>();
  private due = { base: false, over: false, asked: false };

  constructor(
    readonly root: HTMLElement,
    private readonly editor: Editor,
  ) {
    this.base = this.canvas();
    this.over = this.canvas();
    new ResizeObserver(() => this.resized()).observe(root);
    root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    root.addEventListener("pointerdown", (event) => this.down(event));
    root.addEventListener("pointermove", (event) => this.move(event));
    root.addEventListener("pointerup", (event) => this.up(event));
    root.addEventListener("pointercancel", (event) => this.up(event, true));
    root.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /** Draw all at the next frame of the screen. */
  draw(): void {
    this.ask("base");
    this.ask("over");
  }

  /** Follow the editor: another frame, another joint, or a wish to see the whole. */
  follow(why: Why): void {
    const { editor } = this;
    if (why === "picture") return void this.show();
    if (why === "clip") this.centre = null;
    const pose = editor.pose;
    const region = pose && extent(pose);
    if (why === "fitFrame" || ((why === "fit" || why === "clip") && !region)) this.fitFrame();
    else if ((why === "fit" || why === "clip") && region) this.view = fitting(this.screen, region);
    else if (why === "frame" && region) this.keepCentred([region.x, region.y]);
    else if (why === "joint") this.reveal();
    if (region) this.centre = [region.x, region.y];
    this.settle();
  }

  zoom(factor: number): void {
    this.zoomAt(factor, [this.screen.width / 2, this.screen.height / 2]);
  }

  private canvas(): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.setAttribute("aria-hidden", "true");
    this.root.append(canvas);
    return canvas;
  }

  private resized(): void {
    const { clientWidth: width, clientHeight: height } = this.root;
    const first = this.screen.width === 0;
    const [dx, dy] = [(width - this.screen.width) / 2, (height - this.screen.height) / 2];
    this.screen = { width, height };
    const dense = window.devicePixelRatio || 1;
    for (const canvas of [this.base, this.over]) {
      canvas.width = Math.round(width * dense);
      canvas.height = Math.round(height * dense);
    }
    if (first) return this.follow("clip");
    this.view = { ...this.view, x: this.view.x + dx, y: this.view.y + dy };
    this.settle();
  }

  private fitFrame(): void {
    const { width, height } = this.editor.clip;
    this.view = fitting(this.screen, { x: (width - 1) / 2, y: (height - 1) / 2, width, height }, 0.02);
  }

  /** Move the view as the person moved, so that the person stays where it was on the screen. */
  private keepCentred(now: Point): void {
    if (!this.centre) return;
    const [dx, dy] = [now[0] - this.centre[0], now[1] - this.centre[1]];
    this.view = { ...this.view, x: this.view.x - dx * this.view.scale, y: this.view.y - dy * this.view.scale };
  }

  private reveal(): void {
    const { pose, joint } = this.editor;
    const xy = pose?.xy[joint ?? -1];
    if (xy) this.view = revealing(this.view, xy, this.screen);
  }

  private settle(): void {
    this.view = kept(this.view, this.screen, this.editor.clip);
    // Where a test, or a tool of the reader, finds the frame on the screen.
    this.root.dataset.view = [this.view.scale, this.view.x, this.view.y].join(" ");
    this.draw();
  }

  private async show(): Promise<void> {
    const { clip, frame } = this.editor;
    this.pictures.sized(clip.width, clip.height);
    try {
      const picture = await this.pictures.get(addressOf(clip, frame));
      if (clip !== this.editor.clip || frame !== this.editor.frame) return;
      [this.picture, this.pictured] = [picture, addressOf(clip, frame)];
      this.root.dataset.frame = String(frame);
      this.ask("base");
      this.ahead(clip, frame);
    } catch (error) {
      if (frame !== this.editor.frame) return;
      this.picture = null;
      this.editor.say(error instanceof TypeError ? "the server does not answer" : (error as Error).message, true);
      this.ask("base");
    }
  }

  private ahead(clip: Clip, frame: number): void {
    for (const near of [frame + 1, frame - 1, frame + 2]) {
      if (near >= 0 && near < clip.frames) this.pictures.get(addressOf(clip, near)).catch(() => {});
    }
  }

  private ask(layer: "base" | "over"): void {
    this.due[layer] = true;
    if (this.due.asked) return;
    this.due.asked = true;
    requestAnimationFrame(() => {
      const due = this.due;
      this.due = { base: false, over: false, asked: false };
      if (due.base) this.drawBase();
      if (due.over) this.drawOver();
    });
  }

  private context(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
    const context = canvas.getContext("2d");
    const dense = window.devicePixelRatio || 1;
    context?.setTransform(dense, 0, 0, dense, 0, 0);
    context?.clearRect(0, 0, this.screen.width, this.screen.height);
    return context;
  }

  private drawBase(): void {
    const context = this.context(this.base);
    if (!context) return;
    const { editor, view } = this;
    paintPicture(context, this.picture, view, editor.clip);
    const frame = editor.now;
    // While the picture is still the last frame's, skeletons of the new one would be wrong over it.
    const other = this.picture !== null && this.pictured !== addressOf(editor.clip, editor.frame);
    if (!frame || editor.hidden || other) return;
    const held = this.held?.what === "joint" && this.held.moved ? this.held : null;
    const { skeleton, project: bands, person } = editor;
    paintPeople(context, { view, frame, held, skeleton, bands, person, unit: unitOf(this.screen) });
  }

  private drawOver(): void {
    const context = this.context(this.over);
    const { editor, held, view } = this;
    if (!context) return;
    if (held?.what === "joint" && held.moved) return this.drawHeld(context, held);
    const { pose, joint } = editor;
    if (!pose || joint === null) return;
    const xy = pose.xy[joint];
    const words = editor.jointName(joint);
    const said = editor.armed ? `${words}: click to place` : words;
    if (xy) paintActive(context, toScreen(view, xy), said, editor.armed, unitOf(this.screen));
  }

  private drawHeld(context: CanvasRenderingContext2D, held: Held & { what: "joint" }): void {
    const pose = this.editor.now?.poses.find((each) => each.person === held.person);
    const at = toScreen(this.view, held.at);
    const [colour, unit] = [colourOf(held.person), unitOf(this.screen)];
    for (const limb of this.editor.skeleton.limbs) {
      if (!limb.includes(held.joint)) continue;
      const other = limb[0] === held.joint ? limb[1] : limb[0];
      const end = pose?.xy[other];
      if (end && pose?.visibility[other] !== ABSENT) paintHeldLimb(context, at, toScreen(this.view, end), colour, unit);
    }
    paintHeld(context, at, colour, unit);
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    this.zoomAt(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0016)), this.pointOf(event));
  }

  private zoomAt(factor: number, at: Point): void {
    const { width, height } = this.editor.clip;
    const least = Math.min(this.screen.width / width, this.screen.height / height) / 3;
    this.view = zoomed(this.view, factor, at, least);
    this.settle();
  }

  private down(event: PointerEvent): void {
    if (event.button > 1) return;
    this.root.setPointerCapture(event.pointerId);
    this.editor.seen();
    const at = this.pointOf(event);
    this.fingers.set(event.pointerId, at);
    if (this.fingers.size > 1) {
      this.held = null;
      return this.draw();
    }
    const near = event.button === 0 ? this.nearest(at, REACH[event.pointerType] ?? 14) : null;
    if (near) {
      const place = toFrame(this.view, at);
      const grip: Point = [near.xy[0] - place[0], near.xy[1] - place[1]];
      this.held = { what: "joint", ...near, from: at, at: near.xy, grip, moved: false };
    } else this.held = { what: "view", from: at, start: this.view, moved: false };
  }

  private move(event: PointerEvent): void {
    const at = this.pointOf(event);
    if (this.fingers.size > 1) return this.pinch(event.pointerId, at);
    const held = this.held;
    if (!held) return this.hover(at, event.pointerType);
    const moved = Math.hypot(at[0] - held.from[0], at[1] - held.from[1]);
    if (!held.moved && moved < CLICK_PIXELS) return;
    const first = !held.moved;
    held.moved = true;
    if (held.what === "view") {
      this.view = { ...held.start, x: held.start.x + at[0] - held.from[0], y: held.start.y + at[1] - held.from[1] };
      return this.settle();
    }
    const place = toFrame(this.view, at);
    held.at = inside([place[0] + held.grip[0], place[1] + held.grip[1]], this.editor.clip);
    if (first) this.ask("base");
    this.ask("over");
  }

  private up(event: PointerEvent, broken = false): void {
    const wide = this.fingers.size > 1;
    this.fingers.delete(event.pointerId);
    const held = this.held;
    this.held = null;
    if (!held || wide || broken) return this.draw();
    if (held.moved) {
      if (held.what === "joint") this.dropped(held);
    } else this.clicked(held, this.pointOf(event));
    this.draw();
  }

  private dropped(held: Held & { what: "joint" }): void {
    this.editor.select(held.person, held.joint, false, false);
    this.editor.place(held.at, "drag");
  }

  /** A click places the joint that waits for it, wherever that is; else it chooses a joint. */
  private clicked(held: Held, at: Point): void {
    if (this.editor.armed) this.editor.place(toFrame(this.view, at), "place", true);
    else if (held.what === "joint") this.editor.select(held.person, held.joint, false, false);
  }

  private pinch(finger: number, at: Point): void {
    const other = [...this.fingers].find(([id]) => id !== finger)?.[1];
    const before = this.fingers.get(finger);
    if (!other || !before) return;
    const span = (a: Point) => Math.max(Math.hypot(a[0] - other[0], a[1] - other[1]), 1);
    this.fingers.set(finger, at);
    this.view = { ...this.view, x: this.view.x + (at[0] - before[0]) / 2, y: this.view.y + (at[1] - before[1]) / 2 };
    this.zoomAt(span(at) / span(before), [(at[0] + other[0]) / 2, (at[1] + other[1]) / 2]);
  }

  private hover(at: Point, pointer: string): void {
    const near = !this.editor.armed && this.nearest(at, REACH[pointer] ?? 14);
    this.root.style.cursor = this.editor.armed ? "crosshair" : near ? "grab" : "default";
  }

  /** Return the joint under a place of the screen; the chosen person's, and the active joint, come first. */
  private nearest(at: Point, reach: number): { person: number; joint: number; xy: Point } | null {
    const { editor } = this;
    let best: { person: number; joint: number; xy: Point } | null = null;
    let least = reach;
    if (editor.hidden) return null;
    for (const pose of editor.now?.poses ?? []) {
      pose.xy.forEach((xy, joint) => {
        if (!xy) return;
        const [x, y] = toScreen(this.view, xy);
        const mine = pose.person === editor.person;
        const favour = mine ? (joint === editor.joint ? 6 : 3) : 0;
        const distance = Math.hypot(x - at[0], y - at[1]);
        if (distance > reach || distance - favour >= least) return;
        least = distance - favour;
        best = { person: pose.person, joint, xy };
      });
    }
    return best;
  }

  private pointOf(event: MouseEvent): Point {
    const box = this.root.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
}

const addressOf = (clip: Clip, frame: number) => api.picture(clip.id, frame, clip.version);
