/** Requests to the server. */

import type { QueueQuery } from "./queue";
import type { Change, Clash, Order, Place } from "./types";
import type { Operations } from "./wire";

/** The server answered, and said no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly conflicts: Clash[] = [],
  ) {
    super(message);
  }

  /** Whether any request may succeed later: the server is busy, restarted or out of space. */
  get passing(): boolean {
    return this.status === 503 || this.status === 401 || this.status === 429;
  }
}

/** The server cannot be reached. */
export class Away extends Error {}

/** An action that takes longer than this (milliseconds) counts as failed: those that wait for it must go on. */
const LONGEST = 120_000;

/** Who asks: the page's own id, the browser's, which lasts, and the name that others see. */
const asker = { page: "", browser: "", name: "" };

export function introduce(who: Partial<typeof asker>): void {
  Object.assign(asker, who);
}

/** Return whether this browser signs with a name of its own (participants of a study do not). */
export const signsItself = () => asker.browser !== "";

type Name = keyof Operations;
type Asked<N extends Name> = {
  path?: Record<string, string>;
  query?: Operations[N]["query"];
  body?: Operations[N]["body"];
  signal?: AbortSignal;
};

/** Ask the server; what is asked and answered is what its own document says. */
async function ask<N extends Name>(operation: N, asked: Asked<N> = {}): Promise<Operations[N]["answer"]> {
  const [method, path] = operation.split(" ") as [string, string];
  const headers: Record<string, string> = { "x-emc-page": asker.page, "x-emc-browser": asker.browser };
  if (asker.name) headers["x-emc-name"] = encodeURIComponent(asker.name);
  const init: RequestInit = { method, headers, signal: asked.signal ?? null };
  if (asked.body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(asked.body);
  }
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(asked.path?.[name] ?? ""));
  const answer = await reached(fetch(filled + query((asked.query ?? {}) as Record<string, Given>), init));
  if (answer.status === 204) return undefined;
  if (answer.ok) return (await answer.json()) as Operations[N]["answer"];
  const told = (await answer.json().catch(() => null)) as { error?: string; conflicts?: Clash[] } | null;
  throw new Refused(answer.status, told?.error ?? `the server answered ${answer.status}`, told?.conflicts ?? []);
}

/** Say apart that nobody answered, and that an answer took too long. */
async function reached(answer: Promise<Response>): Promise<Response> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError") throw new Error("the server did not answer in time");
    throw new Away("the server does not answer");
  }
}

type Given = string | number | boolean | null | undefined | readonly (string | number)[];

/** Return a query: empty values are left out, lists are repeated. */
export function query(fields: Record<string, Given>): string {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== "") said.append(name, String(each));
    }
  }
  const words = said.toString();
  return words ? `?${words}` : "";
}

const clipPath = (clip: string) => `/api/clips/${encodeURIComponent(clip)}`;
export type Verb = "edits" | "undo" | "redo" | "operations" | "persons" | "people";
type Body<V extends Verb> = Operations[`POST /api/clips/{clip}/${V}`]["body"];

export const api = {
  project: () => ask("GET /api/project"),
  frames: (clip: string, order: Order, offset: number, limit: number) =>
    ask("GET /api/clips/{clip}/frames", { path: { clip }, query: { order, offset, limit } }),
  poses: (clip: string, first: number, last: number) =>
    ask("GET /api/clips/{clip}/poses", { path: { clip }, query: { first, last } }),
  store: <V extends Verb>(clip: string, verb: V, body: Body<V>) =>
    ask<`POST /api/clips/{clip}/${V}`>(`POST /api/clips/{clip}/${verb}`, { path: { clip }, body, signal: AbortSignal.timeout(LONGEST) }),
  people: (clip: string) => ask("GET /api/clips/{clip}/people", { path: { clip } }),
  preview: (clip: string, changes: Change[]) =>
    ask("POST /api/clips/{clip}/propagate", { path: { clip }, body: { changes } }),
  warm: (clip: string, person: number, frame: number) =>
    ask("POST /api/clips/{clip}/warm", { path: { clip }, body: { person, frame } }),
  candidates: (clip: string, { frame, person, joint }: Place) =>
    ask("GET /api/clips/{clip}/candidates", { path: { clip }, query: { frame, person, joint } }),
  bisect: (clip: string, person: number, joint: number, first: number, last: number) =>
    ask("GET /api/clips/{clip}/bisect", { path: { clip }, query: { person, joint, first, last } }),
  track: (clip: string, person: number, joint: number, first: number, last: number) =>
    ask("GET /api/clips/{clip}/track", { path: { clip }, query: { person, joint, first, last } }),
  lifted: (clip: string, frame: number, person: number, before: string) =>
    ask("GET /api/clips/{clip}/lifted", { path: { clip }, query: { frame, person, before } }),
  compare: (clip: string, frame: number) => ask("GET /api/clips/{clip}/compare", { path: { clip }, query: { frame } }),
  queue: (asked: QueueQuery, offset: number, limit: number) =>
    ask("GET /api/queue", { query: { ...asked, offset, limit } }),
  facets: (state: QueueQuery["state"], clip: readonly string[] = []) => ask("GET /api/queue/facets", { query: { state, clip: [...clip] } }),
  next: (asked: QueueQuery, step: 1 | -1, clip: string, at: Partial<Place>) =>
    ask("GET /api/queue/next", {
      query: {
        ...asked,
        step,
        clip_at: clip,
        frame_at: at.frame ?? null,
        person_at: at.person ?? null,
        joint_at: at.joint ?? null,
      },
    }),
  presence: (clip: string, frame: number, person: number | null, joint: number | null) =>
    ask("POST /api/presence", { body: { clip, frame, person, joint } }),
  density: (clip: string, bins: number) => ask("GET /api/queue/density", { query: { clip, bins } }),
  effort: () => ask("GET /api/queue/effort"),
  job: () => ask("GET /api/calibration"),
  ready: () => ask("GET /api/calibration/ready"),
  calibrate: (predict: boolean) => ask("POST /api/calibration", { body: { predict } }),
  cancel: () => ask("POST /api/calibration/cancel", { body: {} }),
  events: (after: number) => `/api/events${query({ ...asker, after })}`,
  picture: (clip: string, frame: number, version: string) => `${clipPath(clip)}/frames/${frame}?v=${version}`,
  crop: (clip: string, frame: number, x: number, y: number, side: number, size: number, version: string) =>
    `${clipPath(clip)}/frames/${frame}/crop${query({ x: x.toFixed(1), y: y.toFixed(1), side: Math.round(side), size, v: version })}`,
};
