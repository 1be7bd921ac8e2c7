/** Actions as transactions: made at once, stored one after the other, taken back and brought again; and conflicts. */

import { api, Away, Refused } from "../server/api";
import type { Change, Clash, Clip, History, Newcomer, Operation, PeopleAsked, Stored } from "../server/types";
import { type Edit, type Item, type Kept, Outbox, type Saving, type Verdict } from "./outbox";

export interface JournalHost {
  readonly clip: Clip;
  changed(): void;
  /** An action is stored: what the server says of it, for the clip that is open. */
  stored(item: Item, answer: Stored): void;
  /** An action is not stored: what it changed is to be read again. */
  refused(item: Item, why: string): void;
  /** An action that was never stored is taken back: what it changed is to be read again. */
  dropped(item: Item): void;
  /** Somebody else changed the same joints: a person has to choose. */
  clashed(conflict: Conflict): void;
  noted(seconds: number, joints: number): void;
}

export interface Conflict {
  item: Item;
  clashes: Clash[];
}

const NOTHING: History = { undo: null, redo: null, last: 0 };

export class Journal {
  saving: Saving = "saved";
  waiting = 0;
  history: History = NOTHING;
  private readonly outbox: Outbox<Stored>;
  /** What undo would take of this page's own actions, oldest first: one that is not stored is not the server's to undo. */
  private made: Item[] = [];

  constructor(
    private readonly host: JournalHost,
    key: string,
    tab: string,
    storage: Kept | null,
  ) {
    this.outbox = new Outbox(
      {
        send: (item) => this.send(item),
        verdict,
        stored: (item, answer) => this.stored(item, answer),
        refused: (item, error) => this.refused(item, error),
        cancelled: (item) => host.dropped(item),
        changed: (saving, waiting) => {
          [this.saving, this.waiting] = [saving, waiting];
          host.changed();
        },
      },
      `emc.outbox.${key}`,
      tab,
      storage,
    );
  }

  /** Send what an earlier page left. */
  start(): void {
    void this.outbox.run();
  }

  edit(edit: Edit): void {
    this.push({ verb: "edits", edit });
  }

  operate(operation: Operation): void {
    this.push({ verb: "operations", edit: null, operation });
  }

  add(newcomer: Newcomer): void {
    this.push({ verb: "persons", edit: null, newcomer });
  }

  changePeople(people: PeopleAsked): void {
    this.push({ verb: "people", edit: null, people });
  }

  /** Take back the last action, or bring one back; one that could not be stored is given up instead. Returns the action
   * that is taken back, where this page made it. */
  takeBack(verb: "undo" | "redo"): Item | null {
    const last = verb === "undo" ? this.made.filter(({ clip }) => clip === this.host.clip.id).at(-1) : undefined;
    this.forget(last?.token);
    const unsent = this.setAside.find((item) => item.token === last?.token);
    if (unsent) this.giveUp(unsent);
    else this.push({ verb, edit: null });
    return last ?? null;
  }

  /** Actions that could not be stored, each with its reason. */
  get setAside(): readonly Item[] {
    return this.outbox.setAside;
  }

  /** Send an action that was set aside once more. */
  sendAgain(item: Item): void {
    this.outbox.again(item);
  }

  /** Drop an action that was set aside. */
  giveUp(item: Item): void {
    this.forget(item.token);
    this.outbox.give(item);
    this.host.dropped(item);
  }

  /** Return changes of the open clip that the server does not know yet, oldest first. */
  pending(): Change[] {
    return this.outbox.pending(this.host.clip.id);
  }

  retry(): void {
    this.outbox.retry();
  }

  /** Another clip is open: its history comes with its first poses. */
  left(): void {
    this.history = NOTHING;
  }

  /** End a conflict: `mine` are the clashes where one's own value is to hold; the other's holds elsewhere. */
  resolve({ item, clashes }: Conflict, mine: readonly Clash[]): void {
    this.outbox.decided(item);
    this.forget(item.token);
    if (item.operation) {
      if (mine.length) this.push({ verb: "operations", edit: null, operation: { ...item.operation, base: newest(clashes) } });
      return;
    }
    const kept = keptChanges(item.edit?.changes ?? [], clashes, mine);
    if (kept.length && item.edit) this.push({ verb: "edits", edit: { ...item.edit, kind: "resolve", changes: kept } }, item.clip);
  }

  private push(what: Pick<Item, "verb" | "edit"> & Partial<Item>, clip = this.host.clip.id): void {
    const item = { token: token(), clip, ...what };
    if (item.verb !== "undo") this.made.push(item);
    this.outbox.push(item);
    this.host.changed();
  }

  private forget(token: string | undefined): void {
    this.made = this.made.filter((each) => each.token !== token);
  }

  private async send(item: Item): Promise<Stored> {
    const { clip, verb, token } = item;
    if (item.edit) return api.store(clip, "edits", { ...item.edit, token });
    if (item.operation) return api.store(clip, "operations", { ...item.operation, token });
    if (item.newcomer) return api.store(clip, "persons", { ...item.newcomer, token });
    if (item.people) return api.store(clip, "people", { ...item.people, token });
    // Which edit that is, the server knows: one's own last one. What this page shows may be older.
    return api.store(clip, verb === "redo" ? verb : "undo", { token });
  }

  private stored(item: Item, answer: Stored): void {
    if (answer.id !== null) this.outbox.saw(item, answer.id);
    this.host.noted((item.edit ?? item.operation ?? item.newcomer ?? item.people)?.seconds ?? 0, jointsChanged(item, answer));
    if (item.clip !== this.host.clip.id) return;
    this.history = answer.history;
    this.host.stored(item, answer);
  }

  private refused(item: Item, error: unknown): void {
    const meant = verdict(error, item);
    if (meant === "park") return this.host.clashed({ item, clashes: (error as Refused).conflicts });
    if (meant === "refused") this.forget(item.token);
    this.host.refused(item, error instanceof Error ? error.message : "the action was refused");
  }
}

/** Return what a failure means for an action: see `Verdict`. What a person placed is never dropped. */
export function verdict(error: unknown, { edit, verb }: Item): Verdict {
  if (error instanceof Away) return "passing";
  if (!(error instanceof Refused)) return "failing";
  if (error.passing) return "passing";
  if (error.status >= 500) return "failing";
  if (error.status === 409 && error.conflicts.length) return "park";
  return edit || verb === "persons" ? "aside" : "refused";
}

function jointsChanged({ edit, operation }: Item, { touched, propagated }: Stored): number {
  const repaired = propagated.reduce((sum, span) => sum + span.changed, 0);
  const frames = touched ? touched[1] - touched[0] + 1 : 1;
  return (edit?.changes.length ?? 0) + repaired + (operation ? frames * (operation.joints?.length ?? 1) : 0);
}

const newest = (clashes: readonly Clash[]) => Math.max(0, ...clashes.map(({ theirs }) => theirs.version));

const sameJoint = (a: Change | Clash, b: Change | Clash) =>
  a.frame === b.frame && a.person === b.person && a.joint === b.joint;

/** Return the changes that remain of an edit when some clashes are decided for oneself and the others given up. */
export function keptChanges(changes: readonly Change[], clashes: readonly Clash[], mine: readonly Clash[]): Change[] {
  return changes.flatMap((change) => {
    const clash = clashes.find((each) => sameJoint(each, change));
    if (!clash) return [change];
    return mine.some((each) => sameJoint(each, change)) ? [{ ...change, seen: clash.theirs.version }] : [];
  });
}

function token(): string {
  return crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16)).join("");
}
