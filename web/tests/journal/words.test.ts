import { expect, it } from "vitest";
import type { Item } from "../../src/journal/outbox";
import { actionWords, kindWords } from "../../src/journal/words";
import type { PeopleAsked } from "../../src/server/types";

const change = (joint: number, frame = 5) => ({ frame, person: 1, joint, xy: [1, 2] as [number, number], visibility: 2 as const, provenance: 2 as const });
const item = (over: Partial<Item>): Item => ({ token: "1", clip: "kick", verb: "edits", edit: null, ...over });

it("kinds are words, those of runs too", () => {
  expect(["drag", "swap run", "add person", "paint"].map(kindWords)).toEqual(["move", "left/right swap", "added person", "edit"]);
});

it("an action says what it does, to whom and where", () => {
  const joints = ["nose", "left_hip"];
  expect(actionWords(item({ edit: { kind: "place", changes: [change(1)], seconds: 1 } }), joints)).toBe("placing, left hip, person 1, frame 5, kick");
  expect(actionWords(item({ edit: { kind: "confirm", changes: [change(0, 7), change(1, 6)], seconds: 1 } }), joints)).toBe("confirmation, 2 joints, person 1, frame 6, kick");
  expect(actionWords(item({ verb: "operations", operation: { op: "identity", person: 1, other: 0, frame: 9, seconds: 1 } }), joints)).toBe("identity swap, person 1, frame 9, kick");
  expect(actionWords(item({ verb: "persons", newcomer: { frame: 3, box: [0, 0, 9, 9], seconds: 1 } }), joints)).toBe("added person, frame 3, kick");
  expect(actionWords(item({ verb: "undo" }), joints)).toBe("undo, kick");
});

it("of whole people it says who they are now", () => {
  const people = (over: Partial<PeopleAsked>) => actionWords(item({ verb: "people", people: { action: "delete", persons: [1], seconds: 1, ...over } }), []);
  expect(people({})).toBe("person 1 is deleted, kick");
  expect(people({ action: "merge", into: 0 })).toBe("person 1 is person 0, kick");
  expect(people({ action: "restore" })).toBe("person 1 is back, kick");
  expect(people({ action: "athlete", persons: [0, 2] })).toBe("the athlete is persons 0, 2, kick");
  expect(people({ action: "athlete", persons: [] })).toBe("everyone counts, kick");
  expect(kindWords("merge persons")).toBe("merging of two people");
});
