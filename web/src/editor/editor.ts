/** The state of the page: where one is and what is chosen; knows neither canvas nor markup. */

import { Refused } from "../server/api";
import { Clock } from "./clock";
import { Corrections } from "./corrections";
import { Effort } from "./effort";
import { FrameCache } from "./frames";
import { type Conflict, Journal } from "../journal/journal";
import { Keys } from "./keys";
import type { Item, Kept } from "../journal/outbox";
import { markOf, nextFlag } from "../pose/frame";
import { Guide } from "./guide";
import { type QueueQuery, WHOLE_QUEUE } from "../server/queue";
import { Playback } from "./playback";
import { Repairs } from "./repairs";
import type { Candidate, Change, Clash, Clip, Colleague, Compared, Frame, History, Job, Lifted, Order, Page, Pose, Project, Run, Skeleton, Stored } from "../server/types";

/** Why the view must follow; `picture`: another frame's picture is wanted, its poses are still on their way. */
export type Why = "picture" | "frame" | "joint" | "suspect" | "fit" | "fitFrame" | "clip";
export type Panel = "help" | "sheet" | "whole" | "calibrate" | "name" | null;

const AWAY = "the server does not answer: is `emc edit` running?";

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
  /** The next drag on the picture draws the box of a person whom the detector missed. */
  drawing = false;
  hidden = false;
  panel: Panel = null;
  scene = false;
  list: "joints" | "frames" = "joints";
  order: Order = "worst";
  asked: QueueQuery = WHOLE_QUEUE;
  candidates: Candidate[] = [];
  conflicts: Conflict[] = [];
  people: Colleague[] = [];
  job: Job | null = null;
  /** Before and after calibration on this frame, with the share of the picture that shows "before". */
  compared: { sides: Compared; split: number } | null = null;
  /** The 3D pose of the chosen person on this frame, while the 3D panel is open. */
  lifted: Lifted | null = null;
  note: Note = { text: "", bad: false };
  spoken = "";
  /** Grows when lists must be asked for again. */
  edition = 0;
  /** Called when something to be shown has changed. */
  changed: () => void = () => {};
  /** Called when the view must follow: another frame, or a joint to look at. */
  moved: (why: Why) => void = () => {};
  /** Called with frames whose pictures will be wanted soon. */
  expected: (clip: Clip, frame: number) => void = () => {};
  /** Called when the name that others see has changed. */
  renamed: () => void = () => {};

  readonly clock = new Clock();
  readonly frames: FrameCache;
  readonly journal: Journal;
  readonly keys: Keys;
  readonly effort: Effort;
  readonly corrections: Corrections;
  readonly repairs: Repairs;
  readonly guide: Guide;
  readonly playback = new Playback(this);
  private noteTimer = 0;

  constructor(
    readonly project: Project,
    first: Clip,
    readonly tab: string,
    public name: string,
    storage: (Kept & Storage) | null,
    opening: Promise<Page<Run>> | null = null,
  ) {
    this.clip = first;
    this.frames = new FrameCache(this);
    this.journal = new Journal(this, project.key, tab, storage);
    this.keys = new Keys(storage);
    this.effort = new Effort(storage);
    this.corrections = new Corrections(this);
    this.repairs = new Repairs(this, storage);
    this.guide = new Guide(this, opening);
  }

  get skeleton(): Skeleton {
    return this.project.skeletons[this.clip.skeleton] as Skeleton;
  }

  /** The frame that is shown, null while it is on its way. */
  get now(): Frame | null {
    return this.frames.get(this.frame);
  }

  get pose(): Pose | null {
    return this.poseOf(this.person);
  }

  poseOf(person: number | null): Pose | null {
    return this.now?.poses.find((pose) => pose.person === person) ?? null;
  }

  /** Start: send what an earlier page left, and show the first place to correct. */
  async start(): Promise<void> {
    this.journal.start();
    const row = (await this.attempt(this.guide.page(0)))?.rows[0];
    const clip = this.project.clips.find((each) => each.id === row?.clip) ?? this.clip;
    await this.openClip(clip, row?.first);
    if (!row) return;
    this.guide.begun(row);
    if (!this.poseOf(row.person)) return;
    this.select(row.person, null);
    this.moved("fit");
  }

  async openClip(clip: Clip, frame = 0): Promise<void> {
    this.corrections.flush();
    if (clip !== this.clip) this.journal.left();
    Object.assign(this, { clip, person: null, joint: null, armed: false });
    await this.go(frame, "clip");
  }

  /** Show a frame; the poses around it are fetched with it. */
  async go(frame: number, why: "frame" | "clip" = "frame"): Promise<void> {
    this.corrections.flush();
    this.frame = Math.min(Math.max(Math.round(frame), 0), this.clip.frames - 1);
    const { clip } = this;
    Object.assign(this, { armed: false, candidates: [] });
    this.moved("picture");
    this.changed();
    await this.frames.fetched(this.frame);
    if (frame !== this.frame || clip !== this.clip) return;
    const person = this.personOn(this.now);
    // The active joint stays active from frame to frame, as long as the same person is there.
    if (person !== this.person) this.joint = null;
    this.person = person;
    this.moved(why);
    this.announce();
    this.changed();
    this.guide.told();
    this.guide.stayed();
  }

  /** Choose a person and a joint; `follow` brings the joint into sight, a suspect one near the pointer. */
  select(person: number, joint: number | null, armed = false, follow: Why | null = "joint"): void {
    this.corrections.flush();
    Object.assign(this, { person, joint, armed, candidates: [] });
    if (joint !== null) {
      if (follow) this.moved(follow);
      this.spoken = `${this.jointWords(person, joint)}${armed ? ", click to place" : ""}`;
      this.guide.looked();
    }
    this.changed();
    this.guide.told();
  }

  /** Go to the next flagged joint: of this frame, then of the queue. */
  async nextJoint(step: 1 | -1): Promise<void> {
    const flag = this.now ? nextFlag(this.now.flagged, this.person, this.joint, step) : null;
    if (flag) return this.select(flag.person, flag.joint, true, "suspect");
    await this.guide.next(step);
  }

  nextPerson(): void {
    const people = this.now?.poses.map((pose) => pose.person) ?? [];
    const next = people[(people.indexOf(this.person ?? -1) + 1) % Math.max(people.length, 1)];
    if (next === undefined) return;
    this.select(next, null);
    this.moved("fit");
  }

  /** Let the next drag draw a person's box. */
  draw(): void {
    this.corrections.flush();
    Object.assign(this, { armed: false, drawing: true, hidden: false, compared: null });
    this.say("draw a box around the person whom the detector missed (Esc: leave it)");
  }

  disarm(): boolean {
    const was = this.armed || this.drawing || this.repairs.showing;
    this.armed = false;
    this.drawing = false;
    this.repairs.drop();
    this.changed();
    return was;
  }

  open(panel: Panel): void {
    this.panel = panel;
    this.changed();
  }

  /** Look at the whole way of the active joint (of the first one, where none is active), then of the next ones. */
  openWhole(): void {
    if (this.person === null) return this.say("no person is chosen on this frame");
    this.select(this.person, this.joint ?? 0, false, null);
    this.open("whole");
  }

  /** Go on to another joint's whole way, null: every one was looked at. */
  async wholeNext(next: { joint: number; frame: number } | null): Promise<void> {
    const { person } = this;
    if (next && next.frame !== this.frame) await this.go(next.frame);
    if (next && person !== null && this.poseOf(person)) return this.select(person, next.joint, false, null);
    this.open(null);
    this.say(next ? `person ${person} is not on frame ${next.frame}` : "every joint of this clip was looked at");
  }

  say(text: string, bad = false): void {
    this.note = { text, bad };
    this.spoken = text;
    clearTimeout(this.noteTimer);
    this.noteTimer = window.setTimeout(() => this.silence(), bad ? 12_000 : 5000);
    this.changed();
  }

  jointName(joint: number): string {
    return (this.skeleton.joints[joint] ?? `joint ${joint}`).replaceAll("_", " ");
  }

  clipOf(id: string): Clip | undefined {
    return this.project.clips.find((clip) => clip.id === id);
  }

  unsent(): Change[] {
    return [...this.journal.pending(), ...this.corrections.unsent()];
  }

  arrived(history: History): void {
    this.journal.history = history;
    this.changed();
  }

  /** The server stored an action: show what it made of it. */
  stored(item: Item, answer: Stored): void {
    this.answered();
    this.frames.outdate();
    this.took(answer.touched, answer.frames);
    this.edition += 1;
    this.guide.outdate();
    if (item.verb === "undo" || item.verb === "redo") this.corrections.tookBack(item.verb, answer);
    else if (item.newcomer && answer.person !== null) this.corrections.added(answer.person, answer);
    else this.repairs.told(answer);
    this.changed();
  }

  /** Frames changed: take what is known of them, forget the rest of the range, and read the shown one again; until that
   * is here (the server may be away) it stays as it was. */
  took(touched: readonly [number, number] | null, frames: readonly Frame[]): void {
    const known = new Set(frames.map((frame) => frame.frame));
    if (touched) this.frames.forget(touched[0], touched[1], new Set([...known, this.frame]));
    this.frames.take(frames);
    const shown = touched && touched[0] <= this.frame && this.frame <= touched[1];
    if (shown && !known.has(this.frame)) void this.frames.block(this.frame).then(() => this.changed());
  }

  refused(item: Item, why: string): void {
    this.say(why, true);
    const touched = (item.edit?.changes ?? []).map((change) => change.frame);
    this.frames.outdate();
    if (touched.length) this.took([Math.min(...touched), Math.max(...touched)], []);
  }

  clashed(conflict: Conflict): void {
    this.answered();
    this.conflicts = [...this.conflicts, conflict];
    this.spoken = "somebody else changed the same joint: choose whose value holds";
    this.changed();
  }

  resolve(conflict: Conflict, mine: readonly Clash[]): void {
    this.conflicts = this.conflicts.filter((each) => each !== conflict);
    this.journal.resolve(conflict, mine);
    const frames = conflict.clashes.map((clash) => clash.frame);
    this.frames.outdate();
    this.took([Math.min(...frames), Math.max(...frames)], []);
    this.changed();
  }

  noted(seconds: number, joints: number): void {
    this.effort.note(seconds, joints);
  }

  /** Wait until all actions are stored, or cannot be for now. */
  async settled(): Promise<void> {
    for (let i = 0; i < 40 && this.journal.saving === "saving"; i += 1) await new Promise((done) => setTimeout(done, 25));
  }

  async attempt<T>(asking: Promise<T>): Promise<T | null> {
    try {
      const found = await asking;
      this.answered();
      return found;
    } catch (error) {
      this.say(error instanceof Refused ? error.message : AWAY, true);
      return null;
    }
  }

  /** Return the run of the queue that the active joint is in, as far as it is known. */
  get run(): Run | null {
    return this.guide.run;
  }

  /** The server is there: what said that it is not has had its time. */
  private answered(): void {
    if (this.note.text === AWAY) this.silence();
  }

  private silence(): void {
    this.note = { text: "", bad: false };
    this.changed();
  }

  private jointWords(person: number, joint: number): string {
    const pose = this.poseOf(person);
    const mark = pose ? { cross: "lost", triangle: "low confidence" }[markOf(pose, joint, this.project) as string] : "";
    return [this.jointName(joint), mark].filter(Boolean).join(", ");
  }

  private personOn(frame: Frame | null): number | null {
    const people = frame?.poses ?? [];
    if (people.some((pose) => pose.person === this.person)) return this.person;
    const area = (pose: Pose) => (pose.box ? pose.box[2] * pose.box[3] : 0);
    return [...people].sort((a, b) => area(b) - area(a))[0]?.person ?? null;
  }

  private announce(): void {
    const frame = this.now;
    if (frame) this.spoken = `frame ${this.frame}: (${frame.lost}, ${frame.low}), ${frame.state}`;
  }
}
