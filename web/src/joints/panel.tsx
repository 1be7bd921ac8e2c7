/** The panel of the chosen person: its joints by name, the 3D panel and the legend. */

import { colourOf } from "../canvas/palette";
import type { Editor } from "../editor/editor";
import { flagOf, markOf, wrongness } from "../pose/mark";
import { ScenePanel } from "../scene/panel";
import { ABSENT, type Clip, CONFIRMED, type Flag, HUMAN, OCCLUDED, type Pose, PROPAGATED, VISIBLE } from "../server/types";
import { focusPicture } from "../widgets/focus";
import { MarkIcon, PersonDot, Sign } from "../widgets/icons";
import { percent, reasonWord, WRONG, WRONG_TITLE } from "../widgets/words";
import { Legend } from "./legend";

const VISIBILITY = ["absent", "occluded", "visible"];
export function Joints({ editor }: { editor: Editor }) {
  const { pose, now } = editor;
  return (
    <section class="panel joints" aria-label="Joints of the person">
      <div class="people" role="group" aria-label="Person">
        {(now?.poses ?? []).map((each) => (
          <button
            key={each.person}
            aria-pressed={each.person === editor.person}
            onClick={() => {
              editor.select(each.person, null);
              editor.moved("fit");
            }}
          >
            <PersonDot person={each.person} />
            Person {each.person}
          </button>
        ))}
        <button class="tool add" aria-label="Add person" aria-pressed={editor.drawing} title="Add a person whom the detector missed: draw a box (Shift N)" onClick={() => editor.draw()}>
          <Sign name="person" />
        </button>
        <button class="tool" aria-label="People of the clip" title="The people of the clip: delete, merge, name the athlete (Shift P)" onClick={() => editor.open("people")}>
          <Sign name="people" />
        </button>
        {now && !now.poses.length ? <p class="empty">{nobodyHere(editor.clip, now.frame)}</p> : null}
      </div>
      {pose ? (
        <p class="heading">
          <b>Joint</b>
          <span class="side" title={WRONG_TITLE}>
            {WRONG}
          </span>
        </p>
      ) : null}
      <ul class="names">
        {pose ? editor.skeleton.joints.map((_, joint) => <JointItem key={joint} editor={editor} pose={pose} joint={joint} />) : null}
      </ul>
      {editor.scene ? <ScenePanel editor={editor} /> : null}
      <Legend />
    </section>
  );
}

/** Return why nobody is shown on a frame: nobody was found, or nobody was looked for. */
export function nobodyHere({ model, every }: Pick<Clip, "model" | "every">, frame: number): string {
  if (model === null) return "This clip is not predicted yet.";
  if (every === 0) return "Nobody was found on this frame, or it was not looked at.";
  if (frame % every) return `This frame was not looked at: one of ${every} is.`;
  return "Nobody was found on this frame.";
}

function JointItem({ editor, pose, joint }: { editor: Editor; pose: Pose; joint: number }) {
  const visibility = pose.visibility[joint] ?? ABSENT;
  const xy = pose.xy[joint];
  const flag = flagOf(editor.now, pose.person, joint);
  const mark = markOf(pose, joint, editor.project, flag);
  return (
    <li>
      <button
        class={`row joint ${flag ? "flagged" : ""}`}
        data-joint={editor.skeleton.joints[joint]}
        data-xy={xy ? xy.join(" ") : ""}
        data-visibility={VISIBILITY[visibility]}
        data-provenance={pose.provenance[joint]}
        data-mark={mark}
        aria-pressed={editor.joint === joint}
        onClick={() => {
          editor.select(pose.person, joint, true);
          focusPicture();
        }}
      >
        <MarkIcon mark={mark} colour={colourOf(pose.person)} hollow={visibility !== VISIBLE} />
        <span class="title">{editor.jointName(joint)}</span>
        <span class="side">{sideWords(pose, joint, flag)}</span>
      </button>
    </li>
  );
}

function sideWords(pose: Pose, joint: number, flag: Flag | undefined): string {
  const provenance = pose.provenance[joint] ?? 0;
  const visibility = pose.visibility[joint] ?? ABSENT;
  const by = { [CONFIRMED]: "confirmed", [HUMAN]: "by hand", [PROPAGATED]: "repaired" }[provenance];
  const seen = visibility === ABSENT ? "absent" : visibility === OCCLUDED ? "occluded" : "";
  // The marker tells who decided it; beside a longer word one sign is enough.
  if (seen && by) return provenance === CONFIRMED ? `${seen} ✓` : seen;
  if (by) return by;
  const wrong = percent(wrongness(pose, joint, flag));
  return flag ? `${reasonWord(flag.reason)} ${wrong}` : wrong;
}
