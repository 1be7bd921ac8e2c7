/** Repair of a run from joints placed by hand: automatic with each fix, or shown first and then accepted. */

import { changeOf } from "../pose/changes";
import { api } from "../server/api";
import type { Ghost, Preview, Run, Span, Stop, Stored } from "../server/types";
import type { EditorState } from "./state";

const STOPS: Record<Stop, string> = {
  human: "a joint placed by hand",
  cut: "a cut",
  occlusion: "an occlusion",
  flow: "flow that disagrees",
  agrees: "frames that agree already",
  reach: "the reach",
  end: "the end of the clip",
};

export class Repairs {
  /** Each fix repairs the frames around it at once. */
  automatic = true;
  /** The run that the last fix is in, as far as it is known. */
  run: Run | null = null;
  /** What a repair would do, not yet stored. */
  preview: Preview | null = null;

  constructor(
    private readonly editor: EditorState,
    private readonly storage: Pick<Storage, "getItem" | "setItem"> | null,
  ) {
    this.automatic = storage?.getItem("emc.repair") !== "off";
  }

  get showing(): boolean {
    return this.preview !== null;
  }

  /** Return what would become of the active joint, null where nothing is shown. */
  get ghost(): Ghost | null {
    const { person, joint } = this.editor;
    return this.preview?.spans.find((span) => span.person === person && span.joint === joint) ?? null;
  }

  toggle(): void {
    this.automatic = !this.automatic;
    try {
      this.storage?.setItem("emc.repair", this.automatic ? "on" : "off");
    } catch {
      // Without storage the choice lasts until the page is left.
    }
    this.editor.say(this.automatic ? "each fix repairs its run at once" : "R shows a repair before it is made");
  }

  /** Show what the active joint, as it is here, would repair; the second time make it so. */
  async ask(): Promise<void> {
    const { editor } = this;
    const { pose, joint, frame, clip } = editor;
    if (this.preview) return this.accept();
    if (!pose || joint === null || !pose.xy[joint]) return editor.say("choose a joint that has a place first");
    editor.corrections.flush();
    await editor.settled();
    const preview = await editor.attempt(api.preview(clip.id, [changeOf(frame, pose, joint)]));
    if (!preview || frame !== editor.frame || joint !== editor.joint) return;
    this.preview = preview;
    editor.say(`${spansWords(preview.spans)}; R again makes it so, Esc drops it`);
  }

  /** Make what is shown so. */
  accept(): void {
    const { editor } = this;
    const { pose, joint, frame } = editor;
    this.preview = null;
    if (pose && joint !== null) editor.corrections.edit("drag", [changeOf(frame, pose, joint)], true);
  }

  drop(): void {
    this.preview = null;
  }

  /** Say how far a stored fix reached, also where it reached nowhere; what was said of the next step stays. */
  told({ propagated, fault }: Stored): void {
    const { editor } = this;
    const next = editor.note.bad ? "" : /(^|; )(no flagged joint .*)$/.exec(editor.note.text)?.[2];
    editor.say([reachWords(propagated, fault, this.run), next].filter(Boolean).join("; "), Boolean(fault));
  }
}

/** Return how far a stored fix reached: of the run that it is in, where that is known. */
export function reachWords(spans: readonly Span[], fault: string, run: Pick<Run, "person" | "joint" | "first" | "last"> | null): string {
  if (fault) return `placed on this frame alone: the frames around it could not be repaired (${fault})`;
  const [span] = spans;
  if (!span) return "placed on this frame alone: no predictions around it to repair";
  const frames = run && run.person === span.person && run.joint === span.joint ? run.last - run.first + 1 : 0;
  const of = frames > 1 ? ` (this run has ${frames} frames)` : "";
  if (spans.some(({ changed }) => changed)) return `${spansWords(spans, "repaired")}${of}`;
  return `placed on this frame alone: no other frame was repaired, up to ${stopsWords(span)}${of}`;
}

const stopsWords = ({ before, after }: Span) => [...new Set([STOPS[before], STOPS[after]])].join(" and ");

/** Return how far spans reach, and why no further, in words: of the joint that was placed, which comes first. */
export function spansWords(spans: readonly Span[], verb = "would repair"): string {
  const [span, ...kin] = spans;
  const following = kin.filter((each) => each.changed && each.joint !== span?.joint).length;
  const also = following === 1 ? "1 joint that moves with it" : following ? `${following} joints that move with it` : "";
  if (!span?.changed) return also ? `${verb} ${also}` : "nothing around it would change";
  const frames = `${span.changed} ${span.changed === 1 ? "frame" : "frames"} of ${span.first}–${span.last}`;
  return `${verb} ${frames}${also ? `, and ${also}` : ""}, up to ${stopsWords(span)}`;
}
