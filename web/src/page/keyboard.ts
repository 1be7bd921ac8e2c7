/** From keys to actions. */

import { compareFrames } from "../calibrate/compare";
import type { Stage } from "../canvas/stage";
import type { Editor } from "../editor/editor";
import { type Command, nudgeOf, type Stroke } from "../editor/keys";

type Action = (editor: Editor, stage: Stage) => void;

const ACTIONS: Record<string, Action> = {
  next: (editor) => void editor.nextJoint(1),
  previous: (editor) => void editor.nextJoint(-1),
  back: (editor) => void editor.go(editor.frame - 1),
  ahead: (editor) => void editor.go(editor.frame + 1),
  play: (editor) => editor.playback.toggle(),
  bisect: (editor) => void editor.guide.bisect(),
  person: (editor) => editor.nextPerson(),
  fit: (_, stage) => stage.follow("fit"),
  fitFrame: (_, stage) => stage.follow("fitFrame"),
  zoomIn: (_, stage) => stage.zoom(1.25),
  zoomOut: (_, stage) => stage.zoom(0.8),
  arm: (editor) => {
    if (editor.person !== null && editor.joint !== null) editor.select(editor.person, editor.joint, true);
  },
  carry: (_, stage) => stage.carry(),
  carryBody: (_, stage) => stage.carryBody(),
  visibility: (editor) => editor.corrections.cycleVisibility(),
  candidate1: (editor) => editor.corrections.accept(1),
  candidate2: (editor) => editor.corrections.accept(2),
  candidate3: (editor) => editor.corrections.accept(3),
  candidate4: (editor) => editor.corrections.accept(4),
  copy: (editor) => editor.corrections.copyPrevious(false),
  copyBody: (editor) => editor.corrections.copyPrevious(true),
  mirror: (editor) => editor.corrections.mirrorLimb(),
  swap: (editor) => editor.corrections.swap(),
  swapRun: (editor) => editor.corrections.swapRun("body", true),
  swapLimb: (editor) => editor.corrections.swapRun("limb", false),
  visibilityRun: (editor) => editor.corrections.spreadVisibility(),
  swapLimbRun: (editor) => editor.corrections.swapRun("limb", true),
  newPerson: (editor, stage) => (editor.drawing ? stage.boxInMiddle() : editor.draw()),
  identity: (editor) => editor.corrections.swapIdentity(),
  propagate: (editor) => void editor.repairs.ask(),
  confirmRun: (editor) => editor.corrections.confirmRun(),
  sheet: (editor) => editor.open("sheet"),
  whole: (editor) => editor.openTrajectory(),
  confirm: (editor) => editor.corrections.confirm(),
  confirmNext: (editor) => void editor.corrections.confirmAndGo(),
  undo: (editor) => editor.corrections.takeBack("undo"),
  redo: (editor) => editor.corrections.takeBack("redo"),
  hide: (editor) => {
    editor.hidden = !editor.hidden;
    editor.changed();
  },
  list: (editor) => {
    editor.list = editor.list === "joints" ? "frames" : "joints";
    editor.changed();
  },
  scene: (editor) => editor.toggleScene(),
  people: (editor) => editor.open("people"),
  compare: (editor) => void compareFrames(editor),
  help: (editor) => editor.open("help"),
  escape,
};

function escape(editor: Editor, stage: Stage): void {
  if (stage.carrying) return stage.release(false);
  if (editor.compared) {
    editor.compared = null;
    return editor.changed();
  }
  if (editor.disarm()) return;
  document.querySelector<HTMLElement>(".lists [role=tab][aria-selected=true]")?.focus();
}

/** Do what a pressed key asks for; keys keep their usual meaning in fields, and in dialogs. */
export function pressed(editor: Editor, stage: Stage, event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (document.querySelector("dialog[open]")) return;
  const command = editor.keys.command(event);
  if (!command) return;
  const onPicture = target === stage.root || target === document.body;
  const typing = target.matches("input, select, textarea");
  const leaving = command.id === "escape" && target.matches("input[type=range]"); // nothing is typed into a slider
  if (!onPicture && !leaving && (typing || command.picture)) return;
  event.preventDefault();
  editor.clock.seen();
  if (command.id !== "play") editor.playback.stop();
  act(editor, stage, command, event);
}

/** A key that was held is released: what it carried stays there. */
export function released(editor: Editor, stage: Stage, event: KeyboardEvent): void {
  const bare: Stroke = { key: event.key, shiftKey: false, altKey: false, ctrlKey: false, metaKey: false };
  if (editor.keys.command(bare)?.id === "carry") stage.release();
}

function act(editor: Editor, stage: Stage, { id }: Command, stroke: KeyboardEvent): void {
  const nudge = nudgeOf(id, stroke);
  if (nudge) return editor.corrections.nudgeBy(...nudge);
  // A key that is held down repeats: only steps and nudges may.
  if (stroke.repeat && !["back", "ahead", "zoomIn", "zoomOut", "next", "previous"].includes(id)) return;
  ACTIONS[id]?.(editor, stage);
}
