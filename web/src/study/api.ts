/** What the pages of a study ask of the server. Coordinates are pixels of the frame. */

import { Refused } from "../server/api";
import type { Point } from "../server/types";

export type Method = "classic" | "editor";

export interface Step {
  kind: "consent" | "training" | "trial" | "tlx" | "comment" | "done";
  period: number;
  method: Method | null;
}

export interface Task {
  clip: string;
  frames: number;
  width: number;
  height: number;
  version: string;
  joints: string[];
  limbs: [number, number][];
}

export interface Clocks {
  active: number;
  idle: number;
  paused: number;
}

/** Where a participant is. */
export interface Seat extends Clocks {
  code: string;
  step: number;
  steps: Step[];
  begun: boolean;
  stretch: number;
  stretches: [number, number][];
  failed: number;
  may_go_on: boolean;
  task: Task | null;
  placed: { frame: number; joint: number; xy: Point | null }[];
}

export interface Study {
  name: string;
  consent: string;
  every: number;
  frames: number;
  goal: number;
  idle: number;
}

export interface State {
  study: Study;
  seat: Seat | null;
}

/** What a check found; wrong: frame -> joints not right yet. */
export interface Checked {
  passed: boolean;
  share: number;
  missing: number;
  wrong: Record<string, number>;
  state: State;
}

export type How = "click" | "type" | "drag" | "hidden" | "undo";

export interface StudyEvent extends Clocks {
  id: string;
  kind: "beat" | "place" | "pause" | "resume" | "opened";
  step: number;
  frame?: number;
  joint?: number;
  xy?: Point | null;
  how?: How;
}

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method: body === undefined ? "GET" : "POST" };
  if (body !== undefined) {
    init.headers = { "content-type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const answer = await fetch(`/study/${path}`, init);
  if (answer.status === 204) return undefined as T;
  if (answer.ok) return (await answer.json()) as T;
  const told = (await answer.json().catch(() => null)) as { error?: string } | null;
  throw new Refused(answer.status, told?.error ?? `the server answered ${answer.status}`);
}

export const studyApi = {
  state: () => ask<State>("state"),
  join: (simulated: boolean) => ask<State>("join", { simulated }),
  resume: (code: string) => ask<State>("resume", { code }),
  consent: () => ask<State>("consent", { agreed: true }),
  begin: (step: number) => ask<State>("begin", { step }),
  events: (events: StudyEvent[]) => ask<{ stored: number }>("events", { events }),
  check: (body: Clocks & { id: string; step: number; stretch: number; go_on: boolean }) => ask<Checked>("check", body),
  ratings: (step: number, ratings: Record<string, number>) => ask<State>("ratings", { step, ratings }),
  comment: (text: string) => ask<State>("comment", { text }),
  withdraw: () => ask<undefined>("withdraw", {}),
  picture: ({ clip, version }: Task, frame: number) => `/study/clips/${encodeURIComponent(clip)}/${frame}?v=${version}`,
};
