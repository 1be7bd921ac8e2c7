/** The clocks of a study: seconds of work, idle, and in pauses. */

import type { Clocks } from "./api";

export class WorkClock {
  private kept: Clocks = { active: 0, idle: 0, paused: 0 };
  private last = 0;
  private mode: "stopped" | "working" | "paused" = "stopped";

  /** idle : seconds without any input that still count as work; what is longer is idle from there on. */
  constructor(
    private readonly idle: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Go on from what was counted so far; nothing runs until `work`. */
  set(from: Clocks): void {
    this.kept = { active: from.active, idle: from.idle, paused: from.paused };
    this.mode = "stopped";
  }

  get working(): boolean {
    return this.mode === "working";
  }

  work(): void {
    this.settle();
    this.mode = "working";
  }

  pause(): void {
    this.settle();
    this.mode = "paused";
  }

  stop(): void {
    this.settle();
    this.mode = "stopped";
  }

  /** Note that the person did something. */
  seen(): void {
    if (this.mode === "working") this.settle();
  }

  /** Return the clocks as they stand; asking is no input. */
  read(): Clocks {
    const { active, idle, paused } = this.kept;
    const gap = Math.max(this.now() - this.last, 0) / 1000;
    const round = (seconds: number) => Math.round(seconds * 100) / 100;
    if (this.mode === "paused") return { active: round(active), idle: round(idle), paused: round(paused + gap) };
    if (this.mode === "stopped") return { active: round(active), idle: round(idle), paused: round(paused) };
    const worked = Math.min(gap, this.idle);
    return { active: round(active + worked), idle: round(idle + gap - worked), paused: round(paused) };
  }

  private settle(): void {
    this.kept = this.read();
    this.last = this.now();
  }
}
