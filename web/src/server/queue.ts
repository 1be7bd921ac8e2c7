/** What of the queue is asked for: filters, order, and the words for reasons. */

import type { Run } from "./types";

export interface QueueQuery {
  state: "open" | "confirmed" | "all";
  order: "value" | "severity" | "seconds" | "frame" | "frames" | "reason" | "joint" | "person";
  down: boolean;
  clip: string[];
  reason: string[];
  joint: string[];
  person: number[];
}

/** Rows that lists ask for at once. */
export const QUEUE_PAGE = 60;

export const WHOLE_QUEUE: QueueQuery = {
  state: "open",
  order: "value",
  down: true,
  clip: [],
  reason: [],
  joint: [],
  person: [],
};

export const ORDERS: [QueueQuery["order"], boolean, string][] = [
  ["value", true, "most gain first"],
  ["severity", true, "surest errors first"],
  ["frames", true, "longest runs first"],
  ["seconds", false, "quickest first"],
  ["frame", false, "by clip and frame"],
  ["reason", false, "by reason"],
  ["joint", false, "by joint"],
  ["person", false, "by person"],
];

const REASONS: Record<string, [string, string]> = {
  lost: ["lost", "lost"],
  low_confidence: ["low confidence", "low"],
  jump: ["jumps", "jump"],
  swap: ["left/right swapped", "swap"],
  limb_ratio: ["limb length", "limb"],
  lift_residual: ["3D does not fit", "3D"],
  flip: ["flip disagrees", "flip"],
  flip_disagreement: ["flip disagrees", "flip"],
};

/** Return a reason in words, and in one word. */
export const reasonWords = (reason: string) => REASONS[reason]?.[0] ?? reason.replaceAll("_", " ");
export const reasonWord = (reason: string) => REASONS[reason]?.[1] ?? reasonWords(reason);

/** Return the number of filters that leave something out. */
export const narrowed = ({ clip, reason, joint, person }: QueueQuery) =>
  clip.length + reason.length + joint.length + person.length;

/** Return a list with `value` taken out where it is in, else put in. */
export function toggled<T>(list: readonly T[], value: T): T[] {
  return list.includes(value) ? list.filter((each) => each !== value) : [...list, value];
}

export const holds = (run: Run, clip: string, person: number | null, joint: number | null, frame: number) =>
  run.clip === clip && run.person === person && run.joint === joint && run.first <= frame && frame <= run.last;

export const framesWords = ({ first, last }: Pick<Run, "first" | "last">) =>
  first === last ? `frame ${first}` : `frames ${first}–${last}`;

/** Return a time in words: seconds below two minutes, then minutes, then hours. */
export function timeWords(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
