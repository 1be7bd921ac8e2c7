/** What the work brings: joints decided and repaired per minute of work, from the actions that were stored. */

const WINDOW = 600;
const BINS = 20;

interface Entry {
  seconds: number;
  joints: number;
}

export class Effort {
  private entries: Entry[] = [];

  constructor(private readonly storage: Pick<Storage, "getItem" | "setItem"> | null) {
    try {
      this.entries = JSON.parse(storage?.getItem("emc.effort") ?? "[]") as Entry[];
    } catch {
      // Not ours, or cut off: counting starts anew.
    }
  }

  /** Note a stored action: the seconds of work that it took (idle time left out), and the joints that it changed. */
  note(seconds: number, joints: number): void {
    this.entries.push({ seconds, joints });
    if (this.entries.length > 2000) this.entries.shift();
    try {
      this.storage?.setItem("emc.effort", JSON.stringify(this.entries));
    } catch {
      // Without storage the count lasts until the page is left.
    }
  }

  get seconds(): number {
    return this.entries.reduce((sum, entry) => sum + entry.seconds, 0);
  }

  /** Joints per minute over the last ten minutes of work, null before there is anything to say. */
  get perMinute(): number | null {
    const [seconds, joints] = this.last(WINDOW);
    return seconds < 1 ? null : (60 * joints) / seconds;
  }

  /** Joints per minute in equal stretches of the work so far, oldest first, for a sparkline. */
  curve(): number[] {
    const total = this.seconds;
    if (total <= 0) return [];
    const joints = new Array<number>(BINS).fill(0);
    let worked = 0;
    for (const entry of this.entries) {
      worked += entry.seconds;
      const bin = Math.min(BINS - 1, Math.floor((worked / total) * BINS));
      joints[bin] = (joints[bin] ?? 0) + entry.joints;
    }
    return joints.map((count) => (60 * count * BINS) / total);
  }

  private last(window: number): [number, number] {
    let [seconds, joints] = [0, 0];
    for (let i = this.entries.length - 1; i >= 0 && seconds < window; i -= 1) {
      seconds += this.entries[i]?.seconds ?? 0;
      joints += this.entries[i]?.joints ?? 0;
    }
    return [seconds, joints];
  }
}
