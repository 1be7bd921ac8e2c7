/** The time that a person worked since the last action; pauses are left out. */

/** A pause longer than this (milliseconds) counts as this long: the person did something else. */
const IDLE = 15_000;

export class Clock {
  private total = 0;
  private last: number;

  constructor(private readonly now: () => number = () => performance.now()) {
    this.last = now();
  }

  /** Note that the person did something. */
  seen(): void {
    const now = this.now();
    this.total += Math.min(now - this.last, IDLE);
    this.last = now;
  }

  /** Return the seconds since this was last asked. */
  take(): number {
    this.seen();
    const seconds = this.total / 1000;
    this.total = 0;
    return Math.round(seconds * 100) / 100;
  }
}
