/** Actions on their way to the server: one after the other, kept in the browser until they are stored. */

import type { Change } from "./types";

export interface Edit {
  kind: string;
  changes: Change[];
  seconds: number;
}

/** `target` is set when undo or redo is first sent, so that sending it again takes back the same edit. */
export interface Item {
  token: string;
  clip: string;
  verb: "edits" | "undo" | "redo";
  edit: Edit | null;
  target: number | null;
}

export type Saving = "saved" | "saving" | "retrying";
export type Kept = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

export interface Carrier<T> {
  /** Store one item; throws where that failed. */
  send(item: Item): Promise<T>;
  /** Say whether a failure may pass, so that the item is to be sent again. */
  passing(error: unknown): boolean;
  stored(item: Item, answer: T): void;
  refused(item: Item, error: unknown): void;
  changed(saving: Saving, waiting: number): void;
}

const LONGEST_WAIT = 8000;

export class Outbox<T> {
  private items: Item[] = [];
  private running = false;
  private wake: (() => void) | null = null;
  private readonly place: string;

  constructor(
    private readonly carrier: Carrier<T>,
    prefix: string,
    tab: string,
    private readonly storage: Kept | null,
  ) {
    this.place = `${prefix}.${tab}`;
    this.adopt(prefix);
  }

  /** Number of actions not yet stored. */
  get waiting(): number {
    return this.items.length;
  }

  /** Add an action and send it as soon as those before it are stored. */
  push(item: Item): void {
    this.items.push(item);
    this.keep();
    void this.run();
  }

  /** Return the changes of a clip that are not yet stored, oldest first. */
  pending(clip: string): Change[] {
    return this.items.flatMap((item) => (item.clip === clip && item.edit ? item.edit.changes : []));
  }

  /** Write down an item's new `target`. */
  keep(): void {
    try {
      if (this.items.length) this.storage?.setItem(this.place, JSON.stringify(this.items));
      else this.storage?.removeItem(this.place);
    } catch {
      // A full or forbidden storage: the actions stay in memory, and the page says that they are not stored.
    }
  }

  /** Try again at once instead of at the end of the waiting time. */
  retry(): void {
    this.wake?.();
  }

  async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    let failures = 0;
    for (let item = this.items[0]; item; item = this.items[0]) {
      if (!failures) this.carrier.changed("saving", this.items.length);
      try {
        const answer = await this.carrier.send(item);
        failures = 0;
        this.drop();
        this.carrier.stored(item, answer);
      } catch (error) {
        if (this.carrier.passing(error)) {
          failures += 1;
          this.carrier.changed("retrying", this.items.length);
          await this.pause(Math.min(500 * 2 ** (failures - 1), LONGEST_WAIT));
        } else {
          failures = 0;
          this.drop();
          this.carrier.refused(item, error);
        }
      }
    }
    this.running = false;
    this.carrier.changed("saved", 0);
  }

  private drop(): void {
    this.items.shift();
    this.keep();
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Take over what earlier pages of this project could not store; sending one twice stores it once. */
  private adopt(prefix: string): void {
    const store = this.storage;
    if (!store) return;
    const places = Array.from({ length: store.length }, (_, i) => store.key(i)).filter((key) =>
      key?.startsWith(`${prefix}.`),
    ) as string[];
    for (const place of places.sort()) {
      try {
        this.items.push(...(JSON.parse(store.getItem(place) ?? "[]") as Item[]));
        store.removeItem(place);
      } catch {
        // Not ours, or cut off: nothing in it can be sent.
      }
    }
    this.keep();
  }
}
