/** The editor: goes from place to place, and takes over what the server answers; knows neither canvas nor markup. */

import { type Conflict, Journal } from "../journal/journal";
import type { Item } from "../journal/outbox";
import { nextFlag } from "../pose/frame";
import { flagOf, markOf } from "../pose/mark";
import { introduce } from "../server/api";
import type { Change, Clash, Clip, Frame, History, Page, Pose, Project, Run, Stored } from "../server/types";
import { Corrections } from "./corrections";
import { FrameCache } from "./frames";
import { Guide } from "./guide";
import { Playback } from "./playback";
import { Repairs } from "./repairs";
import { EditorState, type Panel, type Why } from "./state";

export class Editor extends EditorState {
  readonly frames: FrameCache;
  readonly journal: Journal;
  readonly corrections: Corrections;
  readonly repairs: Repairs;
  readonly guide: Guide;
  readonly playback = new Playback(this);

  constructor(
    project: Project,
    first: Clip,
    tab: string,
    name: string,
    storage: Storage | null,
    opening: Promise<Page<Run>> | null = null,
  ) {
    super(project, first, tab, name, storage);
    this.frames = new FrameCache(this);
    this.journal = new Journal(this, project.key, tab, storage);
    this.corrections = new Corrections(this);
    this.repairs = new Repairs(this, storage);
    this.guide = new Guide(this, opening);
  }

  get run(): Run | null {
    return this.guide.run;
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

  /** Let the queue hold only some clips' runs, of all clips where none is named. */
  narrowTo(clips: string[]): void {
    // Where there is one clip, its queue is the whole one.
    const clip = this.project.clips.length > 1 ? clips : [];
    this.asked = { ...this.asked, clip, person: [] };
    this.guide.outdate();
    this.changed();
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
    this.guide.sendPresence();
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
    this.guide.sendPresence();
  }

  /** Go to the next flagged joint: of this frame, then of the queue. */
  async nextJoint(step: 1 | -1): Promise<void> {
    const flag = this.now ? nextFlag(this.now.flagged, this.person, this.joint, step) : null;
    if (flag) return this.select(flag.person, flag.joint, true, "suspect");
    this.armed = false;
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

  toggleScene(): void {
    this.scene = !this.scene;
    if (!this.scene) this.lifted = null;
    this.changed();
  }

  /** Check the whole trajectory of the active joint (of the first one, where none is active), then of the next ones. */
  openTrajectory(): void {
    if (this.person === null) return this.say("no person is chosen on this frame");
    this.select(this.person, this.joint ?? 0, false, null);
    this.open("trajectory");
  }

  /** Go on to another joint's trajectory, null: every one was looked at. */
  async nextTrajectory(next: { joint: number; frame: number } | null): Promise<void> {
    const { person } = this;
    if (next && next.frame !== this.frame) await this.go(next.frame);
    if (next && person !== null && this.poseOf(person)) return this.select(person, next.joint, false, null);
    this.open(null);
    this.say(next ? `person ${person} is not on frame ${next.frame}` : "every joint of this clip was looked at");
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
    if (answer.touched || answer.id === null) this.took(answer.touched, answer.frames);
    else void this.readAgain();
    this.edition += 1;
    this.guide.outdate();
    if (item.verb === "undo" || item.verb === "redo") this.corrections.tookBack(item.verb, answer);
    else if (item.newcomer && answer.person !== null) this.corrections.added(answer.person, answer);
    else if (item.people) this.corrections.saidOfPeople(item.people);
    else if (item.edit?.propagate) this.repairs.told(answer);
    this.changed();
  }

  /** An edit of whole people: all that is shown of the clip is read again. A click that waits was meant for somebody who
   * may be another one now. */
  async readAgain(): Promise<void> {
    const { clip, frame } = this;
    this.armed = false;
    this.frames.forgetAll();
    await this.frames.block(frame);
    if (clip !== this.clip || frame !== this.frame) return;
    const person = this.personOn(this.now);
    if (person !== this.person) {
      Object.assign(this, { person, joint: null, candidates: [] });
      this.moved("fit");
    }
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
    this.say(item.aside ? `not stored, set aside: ${why}` : why, true);
    this.reread(item);
  }

  dropped(item: Item): void {
    this.say("took back what was not stored");
    this.reread(item);
  }

  /** Show again what the server says of the frames of an action that is not stored. */
  private reread(item: Item): void {
    const touched = (item.edit?.changes ?? []).map((change) => change.frame);
    this.frames.outdate();
    if (touched.length) this.took([Math.min(...touched), Math.max(...touched)], []);
    this.changed();
  }

  /** The server signs for this browser with another name than the page thought: it keeps it from now on. */
  signs(name: string): void {
    const given = this.name;
    this.name = name;
    introduce({ name });
    this.keepName(name);
    if (given || / \d+$/.test(name)) this.say(`you sign as ${name}: somebody else here has the same name; click yours above to change it`);
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

  private jointWords(person: number, joint: number): string {
    const pose = this.poseOf(person);
    const mark = pose ? { cross: "lost", triangle: "low confidence" }[markOf(pose, joint, this.project, flagOf(this.now, person, joint)) as string] : "";
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
