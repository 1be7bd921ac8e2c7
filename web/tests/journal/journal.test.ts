import { describe, expect, it } from "vitest";
import { keptChanges } from "../../src/journal/journal";
import type { Change, Clash } from "../../src/server/types";

const change = (joint: number): Change => ({ frame: 3, person: 0, joint, xy: [joint, 1], visibility: 2, provenance: 2, seen: 5 });
const clash = (joint: number, version: number): Clash => ({
  frame: 3,
  person: 0,
  joint,
  seen: 5,
  theirs: { xy: [9, 9], visibility: 2, provenance: 2, version, author: "Bo", kind: "drag", created: "" },
  yours: { xy: [joint, 1], visibility: 2, provenance: 2 },
});

describe("what remains of an action after a conflict", () => {
  const changes = [change(1), change(2), change(3)];
  const clashes = [clash(1, 8), clash(2, 9)];

  it("is all of it where one's own values hold, over what the other made", () => {
    expect(keptChanges(changes, clashes, clashes).map(({ joint, seen }) => [joint, seen])).toEqual([[1, 8], [2, 9], [3, 5]]);
  });

  it("is what nobody else touched where theirs hold", () => {
    expect(keptChanges(changes, clashes, []).map(({ joint }) => joint)).toEqual([3]);
  });

  it("is decided joint by joint", () => {
    expect(keptChanges(changes, clashes, [clash(2, 9)]).map(({ joint }) => joint)).toEqual([2, 3]);
  });
});
