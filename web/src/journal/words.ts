/** Actions in words: what undo took back, and what could not be stored. */

import type { PeopleAsked } from "../server/types";
import type { Item } from "./outbox";

const KINDS: Record<string, string> = {
  drag: "move",
  place: "placing",
  nudge: "nudge",
  visibility: "visibility",
  swap: "left/right swap",
  identity: "identity swap",
  mirror: "mirrored limb",
  copy: "copy",
  "add person": "added person",
  add_person: "added person",
  "delete person": "deletion of a person",
  "merge persons": "merging of two people",
  "restore person": "return of a person",
  athlete: "choice of the athlete",
  confirm: "confirmation",
  candidate: "candidate",
  resolve: "decision",
  undo: "undo",
  redo: "redo",
};

/** Return an edit's kind in words. */
export const kindWords = (kind: string) => KINDS[kind.replace(/ run$/, "")] ?? "edit";

/** Return whether a kind of edit is of whole people. */
export const isOfPeople = (kind: string) => ["delete person", "merge persons", "restore person", "athlete"].includes(kind);

/** Return what is said of whole people. */
export function peopleWords({ action, persons, into }: PeopleAsked): string {
  const named = `person${persons.length > 1 ? "s" : ""} ${persons.join(", ")}`;
  if (action === "merge") return `${named} is person ${into}`;
  if (action === "athlete") return persons.length ? `the athlete is ${named}` : "everyone counts";
  return `${named} is ${action === "delete" ? "deleted" : "back"}`;
}

/** Return what an action does, where; `joints` are the names of the clip's skeleton. */
export function actionWords({ verb, clip, edit, operation, newcomer, people }: Item, joints: readonly string[]): string {
  if (people) return `${peopleWords(people)}, ${clip}`;
  const kind = kindWords(edit?.kind ?? operation?.op ?? (newcomer ? "add person" : verb));
  const frames = edit ? edit.changes.map(({ frame }) => frame) : operation ? [operation.frame] : newcomer ? [newcomer.frame] : [];
  const named = new Set(edit?.changes.map(({ joint }) => joint) ?? operation?.joints ?? []);
  const [first] = named;
  const what = named.size === 1 && first !== undefined ? (joints[first] ?? `joint ${first}`).replaceAll("_", " ") : named.size ? `${named.size} joints` : "";
  const person = edit?.changes[0]?.person ?? operation?.person;
  const where = [what, person === undefined ? "" : `person ${person}`, frames.length ? `frame ${Math.min(...frames)}` : "", clip];
  return [kind, ...where].filter(Boolean).join(", ");
}
