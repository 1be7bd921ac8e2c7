/** Before and after calibration on the same frame, parted by a slider. */

import type { Editor } from "../editor/editor";
import { api } from "../server/api";

/** Show before and after on this frame, or end showing them. */
export async function compareFrames(editor: Editor): Promise<void> {
  if (editor.compared) {
    editor.compared = null;
    return editor.changed();
  }
  await readCompared(editor, 0.5);
}

/** Read both sides of the shown frame again (another frame, another run). */
export async function readCompared(editor: Editor, split: number): Promise<void> {
  const { clip, frame } = editor;
  const sides = await editor.attempt(api.compare(clip.id, frame));
  if (!sides || clip !== editor.clip || frame !== editor.frame) return;
  if (!sides.before || !sides.after) return editor.say("there is one model only so far: calibrate first");
  editor.compared = { sides, split };
  editor.changed();
}

export function Comparison({ editor }: { editor: Editor }) {
  const { compared } = editor;
  if (!compared) return null;
  const { sides, split } = compared;
  return (
    <div class="comparison">
      <span class="side-name before" style={{ right: `${100 - split * 100}%` }}>
        before <small>{sides.before?.model}</small>
      </span>
      <span class="side-name after" style={{ left: `${split * 100}%` }}>
        after <small>{sides.after?.model}</small>
      </span>
      <input
        type="range"
        min={0}
        max={1000}
        value={split * 1000}
        aria-label="Share of the picture that shows the poses before calibration"
        onInput={(event) => {
          editor.compared = { sides, split: Number(event.currentTarget.value) / 1000 };
          editor.changed();
        }}
      />
      <span class="handle" style={{ left: `${split * 100}%` }} aria-hidden="true" />
    </div>
  );
}
