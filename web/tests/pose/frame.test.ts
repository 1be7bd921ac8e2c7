import { describe, expect, it } from "vitest";
import { counted, extent, nextFlag, withChanges } from "../../src/pose/frame";
import type { Change, Frame, Pose } from "../../src/server/types";

const bands = { lost: 0.15, low: 0.5 };
const pose = (over: Partial<Pose> = {}): Pose => ({
  person: 0,
  box: null,
  xy: [[10, 20], [30, 20], null],
  visibility: [2, 2, 0],
  provenance: [0, 0, 0],
  confidence: [0.9, 0.3, 0],
  versions: [0, 7, 0],
  ...over,
});
const flag = (person: number, joint: number) => ({ person, joint, reason: "lost", severity: 0.9 });
const frame = (poses = [pose()]): Frame => ({
  frame: 4,
  poses,
  flagged: [flag(0, 1), flag(0, 2)],
  ...counted(poses, bands),
});

describe("changes", () => {
  it("decide the joint, lower (m, n) and leave the rest and the original alone", () => {
    const before = frame();
    expect([before.lost, before.low, before.state]).toEqual([1, 1, "open"]);
    const change: Change = { frame: 4, person: 0, joint: 2, xy: [7, 8], visibility: 1, provenance: 2 };
    const after = withChanges(before, [change, { ...change, frame: 5, joint: 0 }], bands);
    expect(after.poses[0]?.xy).toEqual([[10, 20], [30, 20], [7, 8]]);
    expect([after.lost, after.low, after.state]).toEqual([0, 1, "changed"]);
    expect(after.flagged).toEqual([flag(0, 1)]);
    expect(before.poses[0]?.xy[2]).toBeNull();
  });
});

describe("the next flagged joint", () => {
  const flags = [flag(1, 3), flag(0, 9), flag(0, 5)];

  it("comes person by person, joint by joint, and ends", () => {
    expect(nextFlag(flags, null, null, 1)).toEqual(flag(0, 5));
    expect(nextFlag(flags, 0, 5, 1)).toEqual(flag(0, 9));
    expect(nextFlag(flags, 0, 9, 1)).toEqual(flag(1, 3));
    expect(nextFlag(flags, 1, 3, 1)).toBeNull();
  });

  it("goes back the same way", () => {
    expect(nextFlag(flags, 1, 3, -1)).toEqual(flag(0, 9));
    expect(nextFlag(flags, null, null, -1)).toEqual(flag(1, 3));
    expect(nextFlag(flags, 0, 5, -1)).toBeNull();
  });
});

describe("the extent of a person", () => {
  it("holds the box and every joint that is not absent", () => {
    expect(extent(pose({ box: [0, 0, 20, 60] }))).toEqual({ x: 15, y: 30, width: 30, height: 60 });
    expect(extent(pose({ xy: [null, null, null] }))).toBeNull();
  });
});
