/** The picture: two canvases, of which only the upper one is drawn while a joint is held. */

import { afterPaint } from "../editor/afterpaint";
import type { Editor } from "../editor/editor";
import type { Why } from "../editor/state";
import { extent } from "../pose/frame";
import { inside, type Size } from "../pose/margin";
import { api } from "../server/api";
import type { Clip, Point, Pose } from "../server/types";
import { drawBase, drawOver, type Sight } from "./drawing";
import { Pictures } from "./pictures";
import { type HeldBox, type HeldJoint, type Near, Pointer, type PointerHost } from "./pointer";
import { aimed, brought, fitting, inSight, kept, revealing, toFrame, toleranceOf, toScreen, type View, zoomed } from "./view";

/** Share of a person (or of the screen) below which the view has lost sight of the person. */
const LEAST_IN_SIGHT = 0.15;

export class Stage implements PointerHost {
  view: View = { scale: 1, x: 0, y: 0 };
  private readonly base: HTMLCanvasElement;
  private readonly over: HTMLCanvasElement;
  private readonly pictures = new Pictures();
  private readonly pointer: Pointer;
  private screen: Size = { width: 0, height: 0 };
  private picture: ImageBitmap | null = null;
  private pictured = "";
  private before = 0;
  private centre: Point | null = null;
  private followed = { frame: 0, person: null as number | null };
  private due = { base: false, over: false, asked: false };
  private readonly watching: ResizeObserver;

  constructor(
    readonly root: HTMLElement,
    private readonly editor: Editor,
  ) {
    this.base = this.canvas();
    this.over = this.canvas();
    this.watching = new ResizeObserver(() => this.resized());
    this.watching.observe(root);
    this.pointer = new Pointer(this);
    editor.expected = (clip, frame) => void this.pictures.get(addressOf(clip, frame)).catch(() => {});
  }

  close(): void {
    this.watching.disconnect();
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
    else if (why === "suspect") this.bring(region);
    if (pose && region && (why === "suspect" || why === "joint" || (why === "frame" && this.isFar()))) this.keepInSight(pose, region);
    if (region) this.centre = [region.x, region.y];
    this.followed = { frame: editor.frame, person: editor.person };
    this.settle();
  }

  zoom(factor: number): void {
    this.zoomAt(factor, [this.screen.width / 2, this.screen.height / 2]);
  }

  zoomAt(factor: number, at: Point): void {
    const { width, height } = this.editor.clip;
    const least = Math.min(this.screen.width / width, this.screen.height / height) / 3;
    this.view = zoomed(this.view, factor, at, least);
    this.settle();
  }

  /** Let the active joint follow the pointer until `release`. */
  carry(): void {
    const { editor } = this;
    const { person, joint, pose } = editor;
    if (this.pointer.held) return;
    if (person === null || joint === null || !pose) return editor.say("choose a joint first: click it, or press Tab");
    const at = pose.xy[joint] ?? (this.pointer.at ? toFrame(this.view, this.pointer.at) : null);
    if (at) this.pointer.carry({ person, joint, xy: at });
  }

  /** Let the whole person follow the pointer until `release`. */
  carryBody(): void {
    const { editor } = this;
    const { person, joint, pose } = editor;
    if (this.pointer.held) return;
    const first = pose?.xy.findIndex(Boolean) ?? -1;
    const hold = joint !== null && pose?.xy[joint] ? joint : first;
    const xy = pose?.xy[hold];
    if (person === null || !xy) return editor.say("no person with a joint that has a place is chosen on this frame");
    this.pointer.carryBody({ person, joint: hold, xy });
  }

  release(keep = true): void {
    if (this.pointer.held) this.pointer.release(keep);
  }

  get carrying(): boolean {
    return this.pointer.joint !== null;
  }

  settle(): void {
    this.view = kept(this.view, this.screen, this.editor.clip);
    // Where a test, or a tool of the reader, finds the frame on the screen.
    this.root.dataset.view = [this.view.scale, this.view.x, this.view.y].join(" ");
    this.draw();
  }

  carried(first: boolean): void {
    if (first) this.ask("base");
    this.ask("over");
  }

  dropped(held: HeldJoint): void {
    const { at, xy } = held;
    if (held.whole) return this.editor.corrections.moveBody([at[0] - xy[0], at[1] - xy[1]]);
    this.editor.select(held.person, held.joint, false, null);
    this.editor.corrections.place(held.at, "drag");
  }

  /** A click places the joint that waits for it, wherever that is; else it chooses a joint. */
  clicked(on: Near | null, at: Point): void {
    if (this.editor.compared) return;
    if (this.editor.armed) this.editor.corrections.place(toFrame(this.view, at), "place", true);
    else if (on) this.editor.select(on.person, on.joint, false, null);
  }

  hover(near: Near | null): void {
    this.root.style.cursor = this.editor.armed || this.editor.drawing ? "crosshair" : near ? "grab" : "default";
  }

  get drawing(): boolean {
    return this.editor.drawing;
  }

  /** A click draws a box as large as the people here usually are. */
  boxed({ corner, at, moved }: HeldBox): void {
    if (moved) this.editor.corrections.addPerson(corner, at);
    else this.boxAround(corner);
    this.draw();
  }

  boxInMiddle(): void {
    this.boxAround(toFrame(this.view, this.pointer.at ?? [this.screen.width / 2, this.screen.height / 2]));
  }

  private boxAround([x, y]: Point): void {
    const boxes = (this.editor.now?.poses ?? []).flatMap(({ box }) => (box ? [box] : []));
    const tall = boxes.length ? boxes.reduce((sum, box) => sum + box[3], 0) / boxes.length : this.editor.clip.height / 2;
    this.editor.corrections.addPerson([x - tall / 4, y - tall / 2], [x + tall / 4, y + tall / 2]);
  }

  inside(place: Point): Point {
    return inside(place, this.editor.clip);
  }

  seen(): void {
    this.editor.clock.seen();
    this.editor.playback.stop();
  }

  /** Return the joint under a place of the screen; the chosen person's, and the active joint, come first. */
  nearest(at: Point, reach: number): Near | null {
    const { editor } = this;
    let best: Near | null = null;
    let least = reach;
    if (editor.hidden || editor.compared) return null;
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

  /** Whether the view followed to another person, or more than a step away. */
  private isFar(): boolean {
    const { frame, person } = this.editor;
    return person !== this.followed.person || Math.abs(frame - this.followed.frame) > 1;
  }

  /** Show the person whole where the view lost it: a joint that the model put elsewhere must not take the view away. */
  private keepInSight(pose: Pose, region: { x: number; y: number } & Size): void {
    const [x, y, width, height] = pose.box ?? [region.x - region.width / 2, region.y - region.height / 2, region.width, region.height];
    const person = { x: x + width / 2, y: y + height / 2, width, height };
    if (inSight(this.view, person, this.screen) < LEAST_IN_SIGHT) this.view = fitting(this.screen, region);
  }

  /** Move the view as the person moved, so that the person stays where it was on the screen. */
  private keepCentred(now: Point): void {
    if (!this.centre) return;
    const [dx, dy] = [now[0] - this.centre[0], now[1] - this.centre[1]];
    this.view = { ...this.view, x: this.view.x - dx * this.view.scale, y: this.view.y - dy * this.view.scale };
  }

  private reveal(): void {
    const xy = this.editor.pose?.xy[this.editor.joint ?? -1];
    if (xy) this.view = revealing(this.view, xy, this.screen);
  }

  /** Bring the suspect joint to the pointer; where it has no place, the person it belongs to. */
  private bring(region: ({ x: number; y: number } & Size) | null): void {
    const xy = this.editor.pose?.xy[this.editor.joint ?? -1];
    if (xy) {
      const to = aimed(this.pointer.at ?? toScreen(this.view, xy), this.screen);
      this.view = brought(this.view, xy, to, toleranceOf(region));
    } else if (region) this.view = fitting(this.screen, region);
  }

  private async show(): Promise<void> {
    const { clip, frame } = this.editor;
    this.pictures.sized(clip.width, clip.height);
    try {
      const picture = await this.pictures.get(addressOf(clip, frame));
      if (clip !== this.editor.clip || frame !== this.editor.frame) return;
      [this.picture, this.pictured] = [picture, addressOf(clip, frame)];
      this.root.dataset.frame = String(frame);
      this.editor.playback.pictured = frame;
      this.ask("base");
      afterPaint(() => frame === this.editor.frame && this.prefetch(clip, frame));
    } catch (error) {
      if (frame !== this.editor.frame) return;
      this.picture = null;
      this.editor.say(error instanceof TypeError ? "the server does not answer" : (error as Error).message, true);
      this.ask("base");
    }
  }

  private prefetch(clip: Clip, frame: number): void {
    // Who goes one way goes on; the frames behind were shown a moment ago.
    const way = frame < this.before ? -1 : 1;
    this.before = frame;
    for (const near of [frame + way, frame + 2 * way, frame + 3 * way, frame - way]) {
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
      this.drawn();
    });
  }

  /** Say what is on the screen now: frame, person and joint, for tests and measurements. */
  private drawn(): void {
    const { clip, frame, person, joint, now } = this.editor;
    const whole = now !== null && this.pictured === addressOf(clip, frame);
    const said = whole ? [frame, person ?? "", joint ?? ""].join(" ") : "";
    if (this.root.dataset.drawn !== said) this.root.dataset.drawn = said;
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
    if (context) drawBase(context, this.sight());
  }

  private drawOver(): void {
    const context = this.context(this.over);
    if (context) drawOver(context, this.sight());
  }

  private sight(): Sight {
    const { editor, view, screen, picture, pointer } = this;
    // While the picture is still the last frame's, skeletons of the new one would be wrong over it.
    const other = picture !== null && this.pictured !== addressOf(editor.clip, editor.frame);
    return { editor, view, screen, picture, other, held: pointer.joint, box: pointer.box };
  }
}

const addressOf = (clip: Clip, frame: number) => api.picture(clip.id, frame, clip.version);
