/** The state of the page and what actions make of it; knows neither canvas nor markup. */

import { api, Refused } from "./api";
import { Clock } from "./clock";
import { type Item, type Kept, Outbox, type Saving } from "./outbox";
import { confirmed, markOf, nextFlag, nextVisibility, swapped, withChanges } from "./poses";
import type { Change, Clip, Frame, History, Order, Point, Pose, Project, Skeleton, Stored } from "./types";
import { HUMAN, VISIBLE } from "./types";
import { inside } from "./view";

const FRAMES_KEPT = 256;
const AROUND = 8;
const NUDGE_PAUSE = 350;
const WORDS: Record<string, string> = {
  drag: "move",
  place: "placing",
  nudge: "nudge",
  visibility: "visibility",
  swap: "left/right swap",
  confirm: "confirmation",
};

/** Why the view must follow; `picture`: another frame's picture is wanted, its poses are still on their way. */
export type Why = "picture" | "frame" | "joint" | "fit" | "fitFrame" | "clip";

export interface Note {
  text: string;
  bad: boolean;
}

export class Editor {
  clip: Clip;
  frame = 0;
  person: number | null = null;
  joint: number | null = null;
  /** The active joint waits for a click that places it. */
  armed = false;
  hidden = false;
  help = false;
  list: "joints" | "frames" = "joints";
  order: Order = "worst";
  saving: Saving = "saved";
  waiting = 0;
  note: Note = { text: "", bad: false };
  spoken = "";
  history: History = { undo: null, redo: null };
  /** Grows when lists must be asked for again. */
  edition = 0;
  /** Called when something to be shown has changed. */
  changed: () => void = () => {};
  /** Called when the view must follow: another frame, or a joint to look at. */
  moved: (why: Why) => void = () => {};

  private readonly frames = new Map<string, Frame>();
  private readonly asked = new Map<string, Promise<void>>();
  private readonly outbox: Outbox<Stored>;
  private readonly clock = new Clock();
  private nudge: { change: Change; timer: number } | null = null;
  private noteTimer = 0;
  /** Grows with each action and each answer: what was asked before is then out of date. */
  private epoch = 0;

  constructor(
    readonly project: Project,
    first: Clip,
    tab: string,
    storage: Kept | null,
  ) {
    this.clip = first;
    this.outbox = new Outbox(
      {
        send: (item) => this.send(item),
        passing: (error) => !(error instanceof Refused) || error.passing,
        stored: (item, answer) => this.stored(item, answer),
        refused: (item, error) => this.refused(item, error),
        changed: (saving, waiting) => {
          [this.saving, this.waiting] = [saving, waiting];
          this.changed();
        },
      },
      `emc.outbox.${project.key}`,
      tab,
      storage,
    );
  }

  get skeleton(): Skeleton {
    return this.project.skeletons[this.clip.skeleton] as Skeleton;
  }

  /** The frame that is shown, null while it is on its way. */
  get now(): Frame | null {
    return this.frames.get(this.keyOf(this.frame)) ?? null;
  }

  get pose(): Pose | null {
    return this.now?.poses.find((pose) => pose.person === this.person) ?? null;
  }

  /** Start: send what an earlier page left, and show the first frame to correct. */
  async start(): Promise<void> {
    void this.outbox.run();
    await this.openClip(this.clip);
  }

  async openClip(clip: Clip, frame?: number): Promise<void> {
    this.flush();
    Object.assign(this, { clip, person: null, joint: null, armed: false });
    this.edition += 1;
    const at = frame ?? (await this.firstFrame(clip));
    await this.go(at, "clip");
  }

  /** Show a frame; the poses around it are fetched with it. */
  async go(frame: number, why: "frame" | "clip" = "frame"): Promise<void> {
    this.flush();
    this.frame = Math.min(Math.max(frame, 0), this.clip.frames - 1);
    if (why === "frame") [this.joint, this.armed] = [null, false];
    this.moved("picture");
    this.changed();
    await this.fetched(this.frame);
    this.person = this.personOn(this.now);
    this.moved(why);
    this.announce();
    this.changed();
  }

  /** Choose a person and a joint; `follow` brings the joint into sight. */
  select(person: number, joint: number | null, armed = false, follow = true): void {
    this.flush();
    Object.assign(this, { person, joint, armed });
    if (joint !== null) {
      if (follow) this.moved("joint");
      this.spoken = `${this.jointWords(person, joint)}${armed ? ", click to place" : ""}`;
    }
    this.changed();
  }

  /** Go to the next flagged joint: of this frame, then of the next flagged frame. */
  async nextJoint(step: 1 | -1): Promise<void> {
    const frame = this.now;
    const flag = frame ? nextFlag(frame.flagged, this.person, this.joint, step) : null;
    if (flag) return this.select(flag.person, flag.joint, true);
    await this.nextFrame(step);
  }

  /** Go to the next frame with an open alert, and to its first joint. */
  async nextFrame(step: 1 | -1): Promise<void> {
    this.flush();
    await this.settled();
    const found = (await this.attempt(api.next(this.clip.id, this.frame, step, this.order)))?.frame ?? null;
    if (found === null) {
      const here = this.now?.flagged.length;
      this.say(here ? "this is the only frame with open alerts" : "no open alert is left in this clip");
      if (!here) [this.joint, this.armed] = [null, false];
      else {
        const flag = nextFlag(this.now?.flagged ?? [], null, null, step);
        if (flag) this.select(flag.person, flag.joint, true);
      }
      return this.changed();
    }
    await this.go(found);
    const flag = nextFlag(this.now?.flagged ?? [], null, null, step);
    if (flag) this.select(flag.person, flag.joint, true);
  }

  /** Put the active joint somewhere; `advance` goes on to the next flagged joint of the frame. */
  place(at: Point, kind: "drag" | "place", advance = false): void {
    const change = this.changeOf(this.joint, { xy: inside(at, this.clip) });
    if (!change) return;
    if (change.visibility === 0) change.visibility = VISIBLE;
    const before = { person: change.person, joint: change.joint };
    this.edit(kind, [change]);
    if (!advance) return;
    const flag = nextFlag(this.now?.flagged ?? [], before.person, before.joint, 1) ?? this.now?.flagged[0] ?? null;
    if (flag) return this.select(flag.person, flag.joint, true);
    this.armed = false;
    this.say("no flagged joint is left on this frame: C confirms it, Tab goes on");
  }

  /** Move the active joint a little; strokes in a row are one action. */
  nudgeBy(dx: number, dy: number): void {
    const xy = this.pose?.xy[this.joint ?? -1];
    const change = xy && this.changeOf(this.joint, { xy: inside([xy[0] + dx, xy[1] + dy], this.clip) });
    if (!change) return;
    if (this.nudge) clearTimeout(this.nudge.timer);
    this.nudge = { change, timer: window.setTimeout(() => this.flush(), NUDGE_PAUSE) };
    this.apply([change]);
    this.changed();
  }

  cycleVisibility(): void {
    const { pose, joint } = this;
    if (!pose || joint === null) return this.say("choose a joint first: click it, or press Tab");
    const visibility = nextVisibility(pose.visibility[joint] ?? 0, Boolean(pose.xy[joint]));
    const change = this.changeOf(joint, { visibility });
    if (change) this.edit("visibility", [change]);
    this.spoken = `${this.jointWords(pose.person, joint)}: ${["absent", "occluded", "visible"][visibility]}`;
  }

  swap(): void {
    if (!this.pose) return this.say("no person is chosen on this frame");
    const changes = swapped(this.frame, this.pose, this.skeleton);
    if (changes.length) this.edit("swap", changes);
    this.say("left and right are swapped on this frame");
  }

  confirm(): void {
    const changes = this.now ? confirmed(this.now) : [];
    if (changes.length) this.edit("confirm", changes);
    const open = this.now?.flagged.length ?? 0;
    if (!open) this.armed = false;
    this.say(
      open
        ? `confirmed; ${open} ${open === 1 ? "joint has" : "joints have"} no place yet: place ${open === 1 ? "it" : "them"}, or press V`
        : `frame ${this.frame} is confirmed`,
    );
  }

  async confirmAndGo(): Promise<void> {
    this.confirm();
    await this.nextFrame(1);
  }

  undo(verb: "undo" | "redo" = "undo"): void {
    this.flush();
    this.outbox.push({ token: token(), clip: this.clip.id, verb, edit: null, target: null });
    this.changed();
  }

  nextPerson(): void {
    const people = this.now?.poses.map((pose) => pose.person) ?? [];
    const next = people[(people.indexOf(this.person ?? -1) + 1) % Math.max(people.length, 1)];
    if (next === undefined) return;
    this.select(next, null);
    this.moved("fit");
  }

  disarm(): boolean {
    const was = this.armed;
    this.armed = false;
    this.changed();
    return was;
  }

  retry(): void {
    this.outbox.retry();
  }

  say(text: string, bad = false): void {
    this.note = { text, bad };
    this.spoken = text;
    clearTimeout(this.noteTimer);
    this.noteTimer = window.setTimeout(() => this.silence(), bad ? 12_000 : 5000);
    this.changed();
  }

  /** Note that the person is at work (idle time is left out of an action's seconds). */
  seen(): void {
    this.clock.seen();
  }

  jointName(joint: number): string {
    return (this.skeleton.joints[joint] ?? `joint ${joint}`).replaceAll("_", " ");
  }

  /** Fetch the poses of a frame and of those around it, unless they are here. */
  async fetched(frame: number): Promise<void> {
    if (this.frames.has(this.keyOf(frame))) {
      this.ahead(frame);
      return;
    }
    await this.fetchBlock(frame);
  }

  private silence(): void {
    this.note = { text: "", bad: false };
    this.changed();
  }

  private jointWords(person: number, joint: number): string {
    const pose = this.now?.poses.find((each) => each.person === person);
    const mark = pose ? { cross: "lost", triangle: "low confidence" }[markOf(pose, joint, this.project) as string] : "";
    return [this.jointName(joint), mark].filter(Boolean).join(", ");
  }

  private personOn(frame: Frame | null): number | null {
    const people = frame?.poses ?? [];
    if (people.some((pose) => pose.person === this.person)) return this.person;
    const area = (pose: Pose) => (pose.box ? pose.box[2] * pose.box[3] : 0);
    return [...people].sort((a, b) => area(b) - area(a))[0]?.person ?? null;
  }

  private async firstFrame(clip: Clip): Promise<number> {
    const page = await this.attempt(api.frames(clip.id, this.order, 0, 1));
    return page?.rows[0]?.frame ?? 0;
  }

  private changeOf(joint: number | null, to: Partial<Change>): Change | null {
    const pose = this.pose;
    if (!pose || joint === null) return null;
    const visibility = pose.visibility[joint] ?? 0;
    const now = { xy: pose.xy[joint] ?? null, visibility };
    return { frame: this.frame, person: pose.person, joint, ...now, provenance: HUMAN, ...to };
  }

  private edit(kind: string, changes: Change[]): void {
    this.flush();
    this.epoch += 1;
    this.apply(changes);
    const edit = { kind, changes, seconds: this.clock.take() };
    this.outbox.push({ token: token(), clip: this.clip.id, verb: "edits", edit, target: null });
    this.announce();
    this.changed();
  }

  private flush(): void {
    if (!this.nudge) return;
    clearTimeout(this.nudge.timer);
    const { change } = this.nudge;
    this.nudge = null;
    this.edit("nudge", [change]);
  }

  private apply(changes: Change[]): void {
    for (const frame of new Set(changes.map((change) => change.frame))) {
      const held = this.frames.get(this.keyOf(frame));
      if (held) this.frames.set(this.keyOf(frame), withChanges(held, changes, this.project));
    }
  }

  private async send(item: Item): Promise<Stored> {
    if (item.verb === "edits") return api.store(item.clip, "edits", { ...item.edit, token: item.token });
    if (item.target === null && item.clip === this.clip.id) {
      item.target = this.history[item.verb]?.id ?? null;
      this.outbox.keep();
    }
    return api.store(item.clip, item.verb, { target: item.target, token: item.token });
  }

  private stored(item: Item, answer: Stored): void {
    this.epoch += 1;
    if (item.clip !== this.clip.id) return;
    this.history = answer.history;
    this.take(answer.frames);
    this.edition += 1;
    if (item.verb !== "edits") this.told(item.verb, answer);
    this.changed();
  }

  private told(verb: "undo" | "redo", answer: Stored): void {
    if (answer.id === null) return this.say(`nothing to ${verb}`);
    const frame = answer.frames[0]?.frame;
    const undone = verb === "undo" ? answer.history.redo : answer.history.undo;
    this.say(`${verb === "undo" ? "took back" : "brought back"} the ${WORDS[undone?.kind ?? ""] ?? "edit"}`);
    if (frame !== undefined && frame !== this.frame) void this.go(frame);
  }

  private refused(item: Item, error: unknown): void {
    this.say(error instanceof Error ? error.message : "the action was refused", true);
    const touched = new Set((item.edit?.changes ?? []).map((change) => change.frame));
    for (const frame of touched) this.frames.delete(this.keyOf(frame));
    void this.fetchBlock(this.frame).then(() => this.changed());
  }

  private take(frames: Frame[]): void {
    const pending = this.outbox.pending(this.clip.id);
    if (this.nudge) pending.push(this.nudge.change);
    for (const frame of frames) {
      this.frames.delete(this.keyOf(frame.frame));
      this.frames.set(this.keyOf(frame.frame), withChanges(frame, pending, this.project));
    }
    for (const key of this.frames.keys()) {
      if (this.frames.size <= FRAMES_KEPT) break;
      this.frames.delete(key);
    }
  }

  private ahead(frame: number): void {
    const edge = [frame + 2, frame - 2].find(
      (near) => near >= 0 && near < this.clip.frames && !this.frames.has(this.keyOf(near)),
    );
    if (edge !== undefined) void this.fetchBlock(edge);
  }

  private fetchBlock(frame: number): Promise<void> {
    const first = Math.max(0, frame - AROUND);
    const last = Math.min(this.clip.frames - 1, frame + AROUND);
    const key = `${this.clip.id}/${first}`;
    const going = this.asked.get(key);
    if (going) return going;
    const [clip, epoch] = [this.clip.id, this.epoch];
    const asking = this.attempt(api.poses(clip, first, last)).then((found) => {
      this.asked.delete(key);
      if (!found || clip !== this.clip.id) return;
      if (epoch !== this.epoch) return this.fetchBlock(frame);
      this.history = found.history;
      this.take(found.frames);
      this.changed();
    });
    this.asked.set(key, asking);
    return asking;
  }

  /** Wait until all actions are stored, or cannot be for now. */
  private async settled(): Promise<void> {
    for (let i = 0; i < 40 && this.saving === "saving"; i += 1) await new Promise((done) => setTimeout(done, 25));
  }

  private async attempt<T>(asking: Promise<T>): Promise<T | null> {
    try {
      return await asking;
    } catch (error) {
      this.say(error instanceof Refused ? error.message : "the server does not answer: is `emc edit` running?", true);
      return null;
    }
  }

  private announce(): void {
    const frame = this.now;
    if (frame) this.spoken = `frame ${this.frame}: (${frame.lost}, ${frame.low}), ${frame.state}`;
  }

  private keyOf(frame: number): string {
    return `${this.clip.id}/${frame}`;
  }
}

function token(): string {
  return crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16)).join("");
}
