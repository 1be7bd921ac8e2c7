/** The frames of the clip that the page holds: poses as they are now, fetched in blocks around what is looked at. */

import { withChanges } from "../pose/frame";
import { api } from "../server/api";
import type { Bands, Change, Clip, Frame, History } from "../server/types";

const FRAMES_KEPT = 512;
const AROUND = 8;

export interface FramesHost {
  readonly clip: Clip;
  readonly project: Bands;
  /** Changes that the server may not know yet: they are shown over what it says. */
  unsent(): Change[];
  attempt<T>(asking: Promise<T>): Promise<T | null>;
  arrived(history: History): void;
}

export class FrameCache {
  private readonly held = new Map<string, Frame>();
  private readonly asked = new Map<string, Promise<void>>();
  /** Grows with each action and each answer: what was asked before is then out of date. */
  private epoch = 0;

  constructor(private readonly host: FramesHost) {}

  get(frame: number): Frame | null {
    return this.held.get(this.keyOf(frame)) ?? null;
  }

  /** Return the held frames of a range, in order; frames that are not here are left out. */
  range(first: number, last: number): Frame[] {
    const found: Frame[] = [];
    for (let frame = first; frame <= last; frame += 1) {
      const held = this.get(frame);
      if (held) found.push(held);
    }
    return found;
  }

  /** Note that something changed: answers to earlier questions are asked again. */
  outdate(): void {
    this.epoch += 1;
  }

  /** Make changes at once, as the server will. */
  apply(changes: readonly Change[]): void {
    for (const frame of new Set(changes.map((change) => change.frame))) {
      const held = this.held.get(this.keyOf(frame));
      if (held) this.held.set(this.keyOf(frame), withChanges(held, changes, this.host.project));
    }
  }

  /** Take over what the server says, under what it cannot know yet. */
  take(frames: readonly Frame[]): void {
    const pending = this.host.unsent();
    for (const frame of frames) {
      const key = this.keyOf(frame.frame);
      this.held.delete(key);
      this.held.set(key, withChanges(frame, pending, this.host.project));
    }
    for (const key of this.held.keys()) {
      if (this.held.size <= FRAMES_KEPT) break;
      this.held.delete(key);
    }
  }

  /** Drop what is held of frames first..last, except of some. */
  forget(first: number, last: number, except: ReadonlySet<number>): void {
    for (const [key, held] of this.held) {
      if (held.frame < first || held.frame > last || except.has(held.frame)) continue;
      if (key === this.keyOf(held.frame)) this.held.delete(key);
    }
  }

  forgetAll(): void {
    this.held.clear();
    this.outdate();
  }

  /** Fetch a frame and those around it, unless they are here. */
  async fetched(frame: number): Promise<void> {
    if (!this.held.has(this.keyOf(frame))) return this.block(frame);
    const { frames } = this.host.clip;
    const edge = [frame + 2, frame - 2].find((near) => near >= 0 && near < frames && !this.held.has(this.keyOf(near)));
    if (edge !== undefined) void this.block(edge);
  }

  /** Fetch all frames of a range that are not here. */
  async fetchedRange(first: number, last: number): Promise<void> {
    const asked: Promise<void>[] = [];
    for (let frame = first; frame <= last; frame += 1) {
      if (this.held.has(this.keyOf(frame))) continue;
      const middle = Math.min(frame + AROUND, Math.max(last, frame));
      asked.push(this.block(middle));
      frame = middle + AROUND;
    }
    await Promise.all(asked);
  }

  block(frame: number): Promise<void> {
    const { clip } = this.host;
    const first = Math.max(0, frame - AROUND);
    const last = Math.min(clip.frames - 1, frame + AROUND);
    const key = `${clip.id}/${first}`;
    const going = this.asked.get(key);
    if (going) return going;
    const epoch = this.epoch;
    const asking = this.host.attempt(api.poses(clip.id, first, last)).then((found) => {
      this.asked.delete(key);
      if (!found || clip.id !== this.host.clip.id) return;
      if (epoch !== this.epoch) return this.block(frame);
      this.take(found.frames);
      this.host.arrived(found.history);
    });
    this.asked.set(key, asking);
    return asking;
  }

  private keyOf(frame: number): string {
    return `${this.host.clip.id}/${frame}`;
  }
}
