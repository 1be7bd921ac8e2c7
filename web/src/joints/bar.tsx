/** The bar over the picture: the active joint, why it is flagged, candidates, and what can be done with its run. */

import { colourOf } from "../canvas/palette";
import type { Editor } from "../editor/editor";
import { flagOf, markOf, wrongness } from "../pose/mark";
import { HUMAN, VISIBLE } from "../server/types";
import { MarkIcon, PersonDot, Sign } from "../widgets/icons";
import { framesWords, percent, reasonWords, WRONG, WRONG_TITLE } from "../widgets/words";

const WHERE = {
  peak: "another peak of the model",
  tracker: "tracked from the frames around",
  interpolation: "interpolated between its neighbours in time",
  mirror: "mirrored from the other side",
};
const SOURCES = { peak: "peak", tracker: "track", interpolation: "between", mirror: "mirror" };

export function JointBar({ editor }: { editor: Editor }) {
  const { pose, joint, run } = editor;
  if (!pose || joint === null) return <Idle editor={editor} />;
  const flag = flagOf(editor.now, pose.person, joint);
  const decided = (pose.provenance[joint] ?? 0) >= HUMAN;
  return (
    <div class="jointbar" aria-label="Active joint">
      <MarkIcon mark={markOf(pose, joint, editor.project, flag)} colour={colourOf(pose.person)} hollow={pose.visibility[joint] !== VISIBLE} />
      <b>{editor.jointName(joint)}</b>
      {editor.armed ? <span class="armed">click to place</span> : null}
      <span class="soft" title={decided ? undefined : WRONG_TITLE}>
        {decided ? "decided by a person" : `${percent(wrongness(pose, joint, flag))} ${WRONG}`}
        {flag ? `: ${reasonWords(flag.reason)}` : ""}
      </span>
      <Candidates editor={editor} />
      {flag?.reason === "swap" ? (
        <button class="chip" title="Swap left and right of this limb from here on (Shift X)" onClick={() => editor.corrections.swapRun("limb", true)}>
          Swap limb <kbd>Shift X</kbd>
        </button>
      ) : null}
      <span class="gap" />
      {run ? (
        <span class="soft run-words">
          {framesWords(run)}
          {run.done ? `, ${run.done} of ${run.total} done` : ""}
        </span>
      ) : null}
      <button title="Check this run by contact sheet (E)" onClick={() => editor.open("sheet")}>
        <Sign name="sheet" /> Sheet <kbd>E</kbd>
      </button>
      <RepairButton editor={editor} />
    </div>
  );
}

function Candidates({ editor }: { editor: Editor }) {
  if (!editor.candidates.length) return null;
  return (
    <span class="candidates" role="group" aria-label="Candidates">
      {editor.candidates.map(({ key, source, score, xy }) => (
        <button key={key} data-xy={xy.join(" ")} title={`Accept candidate ${key}: ${WHERE[source]}`} data-score={score} onClick={() => editor.corrections.accept(key)}>
          <kbd>{key}</kbd> {SOURCES[source]}
        </button>
      ))}
    </span>
  );
}

function RepairButton({ editor }: { editor: Editor }) {
  const { repairs } = editor;
  return (
    <span class="joined">
      <button
        class={repairs.showing ? "strong" : ""}
        title="Show what this joint would repair on the frames around it; again: make it so (R)"
        onClick={() => void repairs.ask()}
      >
        <Sign name="repair" /> {repairs.showing ? "Accept" : "Repair"} <kbd>R</kbd>
      </button>
      <button
        class="tool"
        aria-pressed={repairs.automatic}
        title={repairs.automatic ? "Each fix repairs its run at once: on" : "Each fix repairs its run at once: off"}
        onClick={() => repairs.toggle()}
      >
        auto
      </button>
    </span>
  );
}

function Idle({ editor }: { editor: Editor }) {
  return (
    <div class="jointbar">
      {editor.person === null ? null : <PersonDot person={editor.person} />}
      <span class="soft">
        <kbd>Tab</kbd> goes to the next flagged joint, <kbd>?</kbd> shows all keys
      </span>
      <span class="gap" />
      <RepairButton editor={editor} />
    </div>
  );
}
