/** Repair of a run from joints placed by hand: automatic with each fix, or shown first and then accepted. */

import { changeOf } from "../pose/changes";
import { api } from "../server/api";
import type { Ghost, Preview, Span, Stop, Stored } from "../server/types";
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

  /** Say how far a stored fix reached. */
  told({ propagated }: Stored): void {
    if (propagated.some((span) => span.changed)) this.editor.say(spansWords(propagated, "repaired"));
  }
}

/** Return how far spans reach, and why no further, in words: of the joint that was placed, which comes first. */
export function spansWords(spans: readonly Span[], verb = "would repair"): string {
  const [span, ...kin] = spans;
  const following = kin.filter((each) => each.changed && each.joint !== span?.joint).length;
  const also = following ? `${following} ${following === 1 ? "joint" : "joints"} that move with it` : "";
  if (!span?.changed) return also ? `${verb} ${also}` : "nothing around it would change";
  const stops = [...new Set([STOPS[span.before], STOPS[span.after]])].join(" and ");
  const frames = `${span.changed} ${span.changed === 1 ? "frame" : "frames"} (${span.first}–${span.last})`;
  return `${verb} ${frames}${also ? `, and ${also}` : ""}, up to ${stops}`;
}
