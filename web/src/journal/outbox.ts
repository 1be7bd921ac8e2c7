/** Actions on their way to the server: one after the other, kept in the browser until they are stored. */

import type { Change, Newcomer, Operation } from "../server/types";

export interface Edit {
  kind: string;
  changes: Change[];
  seconds: number;
  /** Let the machine repair the frames around it, in the same transaction. */
  propagate?: boolean;
}

/** `target` is set when undo or redo is first sent, so that sending it again takes back the same edit. */
export interface Item {
  token: string;
  clip: string;
  verb: "edits" | "undo" | "redo" | "operations" | "persons";
  edit: Edit | null;
  operation?: Operation;
  newcomer?: Newcomer;
  target: number | null;
}

export type Saving = "saved" | "saving" | "retrying" | "asking";
export type Kept = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

export interface Carrier<T> {
  /** Store one item; throws where that failed. */
  send(item: Item): Promise<T>;
  /** Say what a failure means: it may pass (send again), a person must decide (park), or it stands (refused). */
  verdict(error: unknown): "passing" | "park" | "refused";
  stored(item: Item, answer: T): void;
  refused(item: Item, error: unknown): void;
  changed(saving: Saving, waiting: number): void;
}

const LONGEST_WAIT = 8000;

const nameOf = ({ frame, person, joint }: Change) => `${frame}/${person}/${joint}`;

export class Outbox<T> {
  private items: Item[] = [];
  /** Items that wait for a person's decision; kept like the others, so that a reload asks again. */
  private readonly parked: Item[] = [];
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
    return this.items.length + this.parked.length;
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

  /** Take an item that waited for a decision out, to be dropped or pushed again in another form. */
  decided(item: Item): void {
    const at = this.parked.indexOf(item);
    if (at >= 0) this.parked.splice(at, 1);
    this.keep();
    this.told(this.running ? "saving" : "saved");
  }

  /** Later actions on the same joints saw what `item` made of them: without this a person conflicts with himself. */
  saw(item: Item, version: number): void {
    const made = new Set((item.edit?.changes ?? []).map(nameOf));
    for (const later of this.items) {
      for (const change of later.edit?.changes ?? []) if (made.has(nameOf(change))) change.seen = version;
    }
    this.keep();
  }

  /** Write down an item's new `target`. */
  keep(): void {
    try {
      if (this.waiting) this.storage?.setItem(this.place, JSON.stringify([...this.parked, ...this.items]));
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
      if (!failures) this.told("saving");
      try {
        const answer = await this.carrier.send(item);
        failures = 0;
        this.drop();
        this.carrier.stored(item, answer);
      } catch (error) {
        failures = this.carrier.verdict(error) === "passing" ? failures + 1 : 0;
        if (failures) await this.failed(failures);
        else this.stopped(item, error);
      }
    }
    this.running = false;
    this.told("saved");
  }

  private async failed(failures: number): Promise<void> {
    this.told("retrying");
    await this.pause(Math.min(500 * 2 ** (failures - 1), LONGEST_WAIT));
  }

  private stopped(item: Item, error: unknown): void {
    if (this.carrier.verdict(error) === "park") this.parked.push(item);
    this.drop();
    this.carrier.refused(item, error);
  }

  private told(saving: Saving): void {
    const decide = saving === "saved" && this.parked.length > 0;
    this.carrier.changed(decide ? "asking" : saving, this.waiting);
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
