/** Actions on their way to the server: one after the other, kept in the browser until they are stored. */

import type { Change, Newcomer, Operation, PeopleAsked } from "../server/types";

export interface Edit {
  kind: string;
  changes: Change[];
  seconds: number;
  /** Let the machine repair the frames around it, in the same transaction. */
  propagate?: boolean;
}

/** `aside`: why it could not be stored; it then waits for a person, and nothing waits for it. */
export interface Item {
  token: string;
  clip: string;
  verb: "edits" | "undo" | "redo" | "operations" | "persons" | "people";
  edit: Edit | null;
  operation?: Operation;
  newcomer?: Newcomer;
  people?: PeopleAsked;
  aside?: string;
}

export type Saving = "saved" | "saving" | "retrying" | "asking" | "aside";
export type Kept = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** What a failure means. `passing`: the server is away or busy, nothing can be stored now, send again. `failing`: this
 * action fails, send again a few times. `park`: a person must decide. `aside`: keep it, it will not do as it is.
 * `refused`: it cannot be, and nothing is lost with it. */
export type Verdict = "passing" | "failing" | "park" | "aside" | "refused";

export interface Carrier<T> {
  /** Store one item; throws where that failed. */
  send(item: Item): Promise<T>;
  verdict(error: unknown, item: Item): Verdict;
  stored(item: Item, answer: T): void;
  /** It is not stored; `aside`: it is kept, for a person to send or to drop. */
  refused(item: Item, error: unknown): void;
  /** It was never stored, and its undo waited already: both are gone. */
  cancelled(item: Item, error: unknown): void;
  changed(saving: Saving, waiting: number): void;
}

const LONGEST_WAIT = 8000;
/** How often an action that fails by itself is sent before the others go on without it. */
const TRIES = 4;

const nameOf = ({ frame, person, joint }: Change) => `${frame}/${person}/${joint}`;

export class Outbox<T> {
  private items: Item[] = [];
  /** Items that wait for a person's decision; kept like the others, so that a reload asks again. */
  private readonly parked: Item[] = [];
  private aside: Item[] = [];
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
    return this.items.length + this.parked.length + this.aside.length;
  }

  /** Actions that could not be stored, oldest first, each with its reason. */
  get setAside(): readonly Item[] {
    return this.aside;
  }

  /** Add an action and send it as soon as those before it are stored. */
  push(item: Item): void {
    this.items.push(item);
    this.keep();
    void this.run();
  }

  /** Return the changes of a clip that are on their way, oldest first. */
  pending(clip: string): Change[] {
    return this.items.flatMap((item) => (item.clip === clip && item.edit ? item.edit.changes : []));
  }

  /** Take an item that waited for a decision out, to be dropped or pushed again in another form. */
  decided(item: Item): void {
    const at = this.parked.indexOf(item);
    if (at >= 0) this.parked.splice(at, 1);
    this.settled();
  }

  /** Send an action that was set aside once more, after those that wait. */
  again(item: Item): void {
    if (!this.aside.includes(item)) return;
    this.aside = this.aside.filter((each) => each !== item);
    delete item.aside;
    this.push(item);
  }

  /** Give up an action that was set aside. */
  give(item: Item): void {
    this.aside = this.aside.filter((each) => each !== item);
    this.settled();
  }

  /** Later actions on the same joints saw what `item` made of them: without this a person conflicts with himself. */
  saw(item: Item, version: number): void {
    const made = new Set((item.edit?.changes ?? []).map(nameOf));
    for (const later of this.items) {
      for (const change of later.edit?.changes ?? []) if (made.has(nameOf(change))) change.seen = version;
    }
    this.keep();
  }

  /** Try again at once instead of at the end of the waiting time. */
  retry(): void {
    this.wake?.();
  }

  async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    let [failures, faults] = [0, 0];
    for (let item = this.items[0]; item; item = this.items[0]) {
      if (!failures) this.told("saving");
      const answer = await this.sent(item);
      if ("done" in answer) {
        this.drop();
        surely(() => this.carrier.stored(item, answer.done));
      } else {
        const verdict = this.carrier.verdict(answer.error, item);
        faults += verdict === "failing" ? 1 : 0;
        if (verdict === "passing" || (verdict === "failing" && faults < TRIES)) {
          failures += 1;
          await this.failed(failures);
          continue;
        }
        this.stopped(item, answer.error, verdict);
      }
      [failures, faults] = [0, 0];
    }
    this.running = false;
    this.told("saved");
  }

  private async sent(item: Item): Promise<{ done: T } | { error: unknown }> {
    try {
      return { done: await this.carrier.send(item) };
    } catch (error) {
      return { error };
    }
  }

  private async failed(failures: number): Promise<void> {
    this.told("retrying");
    await this.pause(Math.min(500 * 2 ** (failures - 1), LONGEST_WAIT));
  }

  private stopped(item: Item, error: unknown, verdict: Verdict): void {
    const undo = this.undoOf(item);
    this.items.shift();
    if (undo) this.items = this.items.filter((each) => each !== undo);
    else if (verdict === "park") this.parked.push(item);
    else if (verdict !== "refused") this.aside.push(Object.assign(item, { aside: wordsOf(error) }));
    this.keep();
    surely(() => (undo ? this.carrier.cancelled(item, error) : this.carrier.refused(item, error)));
  }

  /** Return the undo that waits for this very action: sent alone, it would take back the one before. */
  private undoOf(item: Item): Item | null {
    if (item.verb === "undo" || item.verb === "redo") return null;
    let between = 0;
    for (const later of this.items.slice(this.items.indexOf(item) + 1)) {
      if (later.clip !== item.clip) continue;
      if (later.verb !== "undo") between += 1;
      else if (between === 0) return later;
      else between -= 1;
    }
    return null;
  }

  private settled(): void {
    this.keep();
    this.told(this.running ? "saving" : "saved");
  }

  private told(saving: Saving): void {
    const left = this.parked.length ? "asking" : this.aside.length ? "aside" : "saved";
    this.carrier.changed(saving === "saved" ? left : saving, this.waiting);
  }

  private drop(): void {
    this.items.shift();
    this.keep();
  }

  private keep(): void {
    try {
      const all = [...this.aside, ...this.parked, ...this.items];
      if (all.length) this.storage?.setItem(this.place, JSON.stringify(all));
      else this.storage?.removeItem(this.place);
    } catch {
      // A full or forbidden storage: the actions stay in memory, and the page says that they are not stored.
    }
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
        for (const item of JSON.parse(store.getItem(place) ?? "[]") as Item[]) (item.aside ? this.aside : this.items).push(item);
        store.removeItem(place);
      } catch {
        // Not ours, or cut off: nothing in it can be sent.
      }
    }
    this.keep();
  }
}

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : "it could not be stored");

/** Tell somebody; what goes wrong there is reported, and stops no saving. */
function surely(tell: () => void): void {
  try {
    tell();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
