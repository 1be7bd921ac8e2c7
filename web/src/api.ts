/** Requests to the server. */

import type { AlertRow, FrameRow, Frames, Order, Page, Project, Stored } from "./types";

/** The server answered, and said no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  /** Whether the same request may succeed later: the server is busy, restarted or out of space. */
  get passing(): boolean {
    return this.status >= 500 || this.status === 401 || this.status === 429;
  }
}

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const answer = await fetch(path, body === undefined ? {} : post(body));
  if (answer.ok) return (await answer.json()) as T;
  throw new Refused(answer.status, await reason(answer));
}

function post(body: unknown): RequestInit {
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

async function reason(answer: Response): Promise<string> {
  try {
    return ((await answer.json()) as { error: string }).error;
  } catch {
    return `the server answered ${answer.status}`;
  }
}

const clipPath = (clip: string) => `/api/clips/${encodeURIComponent(clip)}`;

export const api = {
  project: () => ask<Project>("/api/project"),
  frames: (clip: string, order: Order, offset: number, limit: number) =>
    ask<Page<FrameRow>>(`${clipPath(clip)}/frames?order=${order}&offset=${offset}&limit=${limit}`),
  alerts: (clip: string, order: Order, offset: number, limit: number) =>
    ask<Page<AlertRow>>(`${clipPath(clip)}/alerts?order=${order}&offset=${offset}&limit=${limit}`),
  next: (clip: string, frame: number, step: number, order: Order) =>
    ask<{ frame: number | null }>(`${clipPath(clip)}/next?frame=${frame}&step=${step}&order=${order}`),
  poses: (clip: string, first: number, last: number) =>
    ask<Frames>(`${clipPath(clip)}/poses?first=${first}&last=${last}`),
  store: (clip: string, verb: "edits" | "undo" | "redo", body: unknown) =>
    ask<Stored>(`${clipPath(clip)}/${verb}`, body),
  picture: (clip: string, frame: number, version: string) => `${clipPath(clip)}/frames/${frame}?v=${version}`,
};
