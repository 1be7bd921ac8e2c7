/** How the queue is asked for, and what a run of it covers. */

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

/** Return whether a joint of a person on a frame is one that a run of the queue covers. */
export const holds = (run: Run, clip: string, person: number | null, joint: number | null, frame: number) =>
  run.clip === clip && run.person === person && run.joint === joint && run.first <= frame && frame <= run.last;
