/** Reasons, ranges of frames and times in words. */

import type { Run } from "../server/types";

const REASONS: Record<string, [string, string]> = {
  lost: ["lost", "lost"],
  low_confidence: ["low confidence", "low"],
  jump: ["jumps", "jump"],
  swap: ["left/right swapped", "swap"],
  limb_ratio: ["limb length", "limb"],
  lift_residual: ["3D does not fit", "3D"],
  unreadable: ["not readable here", "not readable"],
  flip: ["flip disagrees", "flip"],
  flip_disagreement: ["flip disagrees", "flip"],
};

/** Return a reason in words, and in one word. */
export const reasonWords = (reason: string) => REASONS[reason]?.[0] ?? reason.replaceAll("_", " ");
export const reasonWord = (reason: string) => REASONS[reason]?.[1] ?? reasonWords(reason);

/** Every percentage of a joint in the editor is this one; the heading of a list of them, and what it means. */
export const WRONG = "probably wrong";
export const WRONG_TITLE = "How probably the joint is wrong; of a run of frames, on its worst one";

export const percent = (share: number) => `${Math.round(share * 100)} %`;

export const framesWords = ({ first, last }: Pick<Run, "first" | "last">) =>
  first === last ? `frame ${first}` : `frames ${first}–${last}`;

/** Return a time in words: seconds below two minutes, then minutes, then hours. */
export function timeWords(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
