/** What a person does to joints: each method is one action, one transaction. */

import { kindWords, peopleWords } from "../journal/words";
import { changeOf, confirmed, limbOf, moved, nextVisibility, swapped } from "../pose/changes";
import { nextFlag } from "../pose/frame";
import { inside } from "../pose/margin";
import { type Change, type Operation, type PeopleAsked, type Point, type Run, type Stored, type Visibility, VISIBLE } from "../server/types";
import type { Guide } from "./guide";
import type { Repairs } from "./repairs";
import { EditorState, type Edits } from "./state";

const NUDGE_PAUSE = 350;
/** Side of the smallest box (pixels of the frame) that can hold a person. */
const LEAST_BOX = 8;
const GO_ON_TO = "Tab goes on to";
const LEFT = "no flagged joint is left on this frame: C confirms it, Tab goes on";
const CHOOSE = "choose a joint first: click it, or press Tab";

interface CorrectionsHost extends EditorState {
  readonly repairs: Repairs;
  readonly guide: Guide;
}

export class Corrections implements Edits {
  private nudge: { change: Change; timer: number } | null = null;

  constructor(private readonly editor: CorrectionsHost) {}

  /** Put the active joint somewhere; `advance` goes on to the next flagged joint of the frame. */
  place(at: Point, kind: "drag" | "place" | "candidate", advance = false): void {
    const change = this.change(this.editor.joint, { xy: inside(at, this.editor.clip) });
    if (!change) return;
    if (change.visibility === 0) change.visibility = VISIBLE;
    this.edit(kind, [change], this.editor.repairs.automatic);
    if (advance) this.advance(change);
  }

  /** Put a joint of any frame somewhere (from the contact sheet). */
  placeOn(frame: number, person: number, joint: number, at: Point): void {
    const pose = this.editor.frames.get(frame)?.poses.find((each) => each.person === person);
    if (!pose) return;
    const visibility = pose.visibility[joint] ? {} : { visibility: VISIBLE as 2 };
    const change = changeOf(frame, pose, joint, { xy: inside(at, this.editor.clip), ...visibility });
    this.edit("place", [change], this.editor.repairs.automatic);
  }

  /** Accept a candidate by its key; the joint then counts as placed by hand. */
  accept(key: number): void {
    const { editor } = this;
    const found = editor.candidates.find((candidate) => candidate.key === key);
    if (!found) return editor.say(editor.joint === null ? CHOOSE : `there is no candidate ${key} for this joint`);
    this.place(found.xy, "candidate", editor.armed);
  }

  /** Move the active joint a little; strokes in a row are one action. */
  nudgeBy(dx: number, dy: number): void {
    const { editor } = this;
    const xy = editor.pose?.xy[editor.joint ?? -1];
    const change = xy && this.change(editor.joint, { xy: inside([xy[0] + dx, xy[1] + dy], editor.clip) });
    if (!change) return editor.say(CHOOSE);
    // The first stroke saw the server's version, the later ones only what the strokes before made of it.
    if (this.nudge) {
      clearTimeout(this.nudge.timer);
      change.seen = this.nudge.change.seen ?? null;
    }
    this.nudge = { change, timer: window.setTimeout(() => this.flush(), NUDGE_PAUSE) };
    editor.frames.apply([change]);
    editor.changed();
  }

  cycleVisibility(): void {
    const { editor } = this;
    const { pose, joint } = editor;
    if (!pose || joint === null) return editor.say(CHOOSE);
    const visibility = nextVisibility(pose.visibility[joint] ?? 0, Boolean(pose.xy[joint]));
    const change = this.change(joint, { visibility });
    if (change) this.edit("visibility", [change]);
    editor.spoken = `${editor.jointName(joint)}: ${["absent", "occluded", "visible"][visibility]}`;
  }

  /** Give the active joint's visibility to the frames after this one: of its run, or from here on. */
  spreadVisibility(): void {
    const { editor } = this;
    const { pose, joint, run, frame } = editor;
    if (!pose || joint === null) return editor.say(CHOOSE);
    const visibility = (pose.visibility[joint] ?? 0) as Visibility;
    const last = run ? Math.max(run.last, frame) : null;
    this.operate({ op: "visibility", joints: [joint], visibility, ...this.reach(true), last });
    const words = ["absent", "occluded", "visible"][visibility];
    editor.say(`${editor.jointName(joint)} is ${words} ${last === null ? "from here on" : `up to frame ${last}`}`);
  }

  /** Move a whole person by so many pixels of the frame. */
  moveBody(by: Point): void {
    const { editor } = this;
    const { pose, frame } = editor;
    if (!pose) return;
    this.edit("drag", moved(frame, pose, by, (place) => inside(place, editor.clip)));
    editor.say(`the whole person ${pose.person} is moved`);
  }

  swap(): void {
    const { editor } = this;
    if (!editor.pose) return editor.say("no person is chosen on this frame");
    const changes = swapped(editor.frame, editor.pose, editor.skeleton);
    if (changes.length) this.edit("swap", changes);
    editor.say("left and right are swapped on this frame");
  }

  /** Swap left and right of the body, or of the active joint's limb, on this frame or from here on. */
  swapRun(what: "body" | "limb", fromHereOn: boolean): void {
    const { editor } = this;
    if (what === "limb" && editor.joint === null) return editor.say(CHOOSE);
    const joints = what === "limb" ? { joints: limbOf(editor.skeleton, editor.joint ?? 0) } : { limb: "body" };
    this.operate({ op: "swap", ...joints, ...this.reach(fromHereOn) });
    editor.say(`left and right of the ${what} are swapped ${fromHereOn ? "from here on" : "on this frame"}`);
  }

  /** Swap the chosen person with another from here on: with the nearest one on this frame. */
  swapIdentity(): void {
    const { editor } = this;
    const other = nearestOther(editor);
    if (other === null) return editor.say("there is no other person on this frame to swap with");
    this.operate({ op: "identity", other, ...this.reach(true) });
    editor.armed = false;
    editor.say(`persons ${editor.person} and ${other} are swapped from here on`);
  }

  /** Add a person whom the detector missed: the model looks into the box, and on the frames around. */
  addPerson(from: Point, to: Point): void {
    const { editor } = this;
    const box = boxOf(from, to);
    editor.drawing = false;
    if (Math.min(box[2], box[3]) < LEAST_BOX) return editor.say("that box is too small: draw it around the whole person");
    this.flush();
    editor.journal.add({ frame: editor.frame, box, follow: true, seconds: editor.clock.take() });
    editor.say("the model looks for a person in the box …");
  }

  /** Show a person who was added. */
  added(person: number, answer: Stored): void {
    const { editor } = this;
    const [first, last] = answer.touched ?? [editor.frame, editor.frame];
    const here = first <= editor.frame && editor.frame <= last ? editor.frame : first;
    void editor.go(here).then(() => {
      editor.select(person, null);
      editor.moved("fit");
      const where = first === last ? `on frame ${first}` : `on frames ${first} to ${last}`;
      editor.say(`person ${person} is added ${where}: check its joints, ${editor.keys.of("undo")[0]} takes it back`);
    });
  }

  /** Say something of whole people: delete, merge, restore, or name who counts. */
  changePeople(asked: Omit<PeopleAsked, "seconds">): void {
    const { editor } = this;
    this.flush();
    editor.repairs.drop();
    editor.armed = false;
    editor.journal.changePeople({ ...asked, seconds: editor.clock.take() });
  }

  saidOfPeople(asked: PeopleAsked): void {
    const { editor } = this;
    editor.say(`${peopleWords(asked)}; ${editor.keys.of("undo")[0]} takes it back`);
  }

  mirrorLimb(): void {
    const { editor } = this;
    if (editor.joint === null) return editor.say(CHOOSE);
    this.operate({ op: "mirror", joints: limbOf(editor.skeleton, editor.joint), ...this.reach(false) });
  }

  /** Copy the active joint, or the whole person, from the frame before. */
  copyPrevious(whole: boolean): void {
    const { editor } = this;
    if (!whole && editor.joint === null) return editor.say(CHOOSE);
    if (editor.frame === 0) return editor.say("there is no frame before this one");
    const joints = whole ? {} : { joints: [editor.joint as number] };
    this.operate({ op: "copy", ...joints, ...this.reach(false) });
  }

  confirm(): void {
    const { editor } = this;
    const changes = editor.now ? confirmed(editor.now) : [];
    if (changes.length) this.edit("confirm", changes);
    const open = editor.now?.flagged.length ?? 0;
    if (!open) editor.armed = false;
    const [has, it] = open === 1 ? ["joint has", "it"] : ["joints have", "them"];
    editor.say(
      open
        ? `confirmed; ${open} ${has} no place yet: place ${it}, or press V`
        : `frame ${editor.frame} is confirmed`,
    );
  }

  async confirmAndGo(): Promise<void> {
    this.confirm();
    await this.editor.guide.next(1);
  }

  /** Confirm a joint on all frames of a run (of the one that it is in), and say so. */
  confirmRun(run: Pick<Run, "person" | "joint" | "first" | "last"> | null = this.editor.run): void {
    const { editor } = this;
    if (!run) return editor.say("choose a flagged joint first: press Tab");
    const { person, joint, first, last } = run;
    this.operate({ op: "confirm", person, joints: [joint], frame: first, first, last });
    editor.say(`${editor.jointName(joint)} is confirmed on ${last - first + 1} frames`);
  }

  takeBack(verb: "undo" | "redo"): void {
    const { editor } = this;
    this.flush();
    const last = editor.journal.takeBack(verb);
    const change = last?.edit?.changes.length === 1 ? last.edit.changes[0] : undefined;
    const here = change && last?.clip === editor.clip.id && change.frame === editor.frame && change.person === editor.person;
    // The click that comes next is meant for the joint whose placing was wrong, not for the one that came after it.
    if (here) editor.select(change.person, change.joint, editor.armed && last?.edit?.kind === "place", null);
    else editor.armed = false;
  }

  /** Say what undo or redo did, and show it. */
  tookBack(verb: "undo" | "redo", answer: Stored): void {
    const { editor } = this;
    if (answer.id === null) return editor.say(`nothing to ${verb}`);
    const undone = verb === "undo" ? answer.history.redo : answer.history.undo;
    editor.say(`${verb === "undo" ? "took back" : "brought back"} the ${kindWords(undone?.kind ?? "")}`);
    const frames = answer.frames.map((each) => each.frame);
    if (frames[0] !== undefined && !frames.includes(editor.frame)) void editor.go(frames[0]);
  }

  /** Make an action of nudges that still wait for another. */
  flush(): void {
    if (!this.nudge) return;
    clearTimeout(this.nudge.timer);
    const { change } = this.nudge;
    this.nudge = null;
    this.edit("nudge", [change], this.editor.repairs.automatic);
  }

  /** Return changes that are shown but not yet an action. */
  unsent(): Change[] {
    return this.nudge ? [this.nudge.change] : [];
  }

  edit(kind: string, changes: Change[], propagate = false): void {
    const { editor } = this;
    this.flush();
    editor.repairs.drop();
    editor.frames.outdate();
    editor.frames.apply(changes);
    editor.guide.decided(changes);
    if (propagate) editor.repairs.run = editor.run;
    const seconds = editor.clock.take();
    editor.journal.edit(propagate ? { kind, changes, seconds, propagate } : { kind, changes, seconds });
  }

  private operate(operation: Omit<Operation, "seconds">): void {
    const { editor } = this;
    this.flush();
    editor.repairs.drop();
    editor.journal.operate({ ...operation, seconds: editor.clock.take(), base: editor.journal.history.last });
  }

  private reach(fromHereOn: boolean): Pick<Operation, "frame" | "first" | "last" | "person"> {
    const { frame, person } = this.editor;
    return { frame, first: frame, last: fromHereOn ? null : frame, person: person ?? 0 };
  }

  private change(joint: number | null, to: Partial<Change>): Change | null {
    const { pose, frame } = this.editor;
    return pose && joint !== null ? changeOf(frame, pose, joint, to) : null;
  }

  /** Go on to the next flagged joint of the same person on this frame; to another person only who asks for it. */
  private advance(after: Change): void {
    const { editor } = this;
    const flagged = editor.now?.flagged ?? [];
    const own = flagged.filter(({ person }) => person === after.person);
    const flag = nextFlag(own, after.person, after.joint, 1) ?? own[0] ?? null;
    if (flag) return editor.select(flag.person, flag.joint, true, "suspect");
    editor.armed = false;
    const other = flagged[0];
    editor.say(other ? `no flagged joint of person ${after.person} is left on this frame: ${GO_ON_TO} person ${other.person}` : LEFT);
  }
}

/** Return the box (x, y, width, height) between two corners. */
export function boxOf(from: Point, to: Point): [number, number, number, number] {
  const [x, y] = [Math.min(from[0], to[0]), Math.min(from[1], to[1])];
  return [x, y, Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])];
}

function nearestOther({ now, pose }: EditorState): number | null {
  const middle = (box: readonly number[] | null) => (box ? [box[0]! + box[2]! / 2, box[1]! + box[3]! / 2] : [0, 0]);
  const here = middle(pose?.box ?? null);
  const away = (box: readonly number[] | null) => Math.hypot(middle(box)[0]! - here[0]!, middle(box)[1]! - here[1]!);
  const others = (now?.poses ?? []).filter((each) => each.person !== pose?.person);
  return others.sort((a, b) => away(a.box) - away(b.box))[0]?.person ?? null;
}
