import { describe, expect, it } from "vitest";
import { changeOf, confirmed, limbOf, moved, nextVisibility, swapped } from "../../src/pose/changes";
import { counted, extent, markOf, nextFlag, withChanges } from "../../src/pose/frame";
import type { Change, Frame, Pose, Skeleton } from "../../src/server/types";

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
const skeleton: Skeleton = { joints: ["left_hip", "right_hip", "nose"], limbs: [], flip: [1, 0, 2] };

describe("marks", () => {
  it("show who placed a joint, else how sure the model is", () => {
    expect([0, 1, 2].map((joint) => markOf(pose(), joint, bands))).toEqual(["disc", "triangle", "cross"]);
    const placed = pose({ provenance: [1, 2, 3] });
    expect([0, 1, 2].map((joint) => markOf(placed, joint, bands))).toEqual(["hexagon", "square", "diamond"]);
  });
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

  it("that confirm take every joint with a place, and joints said to be absent by hand", () => {
    expect(confirmed(frame()).map((change) => change.joint)).toEqual([0, 1]);
    expect(confirmed(frame([pose({ provenance: [3, 0, 2] })])).map((change) => change.joint)).toEqual([1, 2]);
    const done = withChanges(frame(), confirmed(frame()), bands);
    expect(done.state).toBe("confirmed");
  });

  it("that swap exchange place and visibility of pairs only", () => {
    const one = pose({ visibility: [2, 1, 0] });
    expect(swapped(4, one, skeleton)).toEqual([
      { frame: 4, person: 0, joint: 0, xy: [30, 20], visibility: 1, provenance: 2, seen: 0 },
      { frame: 4, person: 0, joint: 1, xy: [10, 20], visibility: 2, provenance: 2, seen: 7 },
    ]);
    const lost = swapped(4, pose({ xy: [[10, 20], null, null], visibility: [2, 0, 0] }), skeleton);
    expect(lost.map((change) => [change.xy, change.visibility])).toEqual([
      [null, 0],
      [[10, 20], 2],
    ]);
  });

  it("of visibility go round, and only absent is left without a place", () => {
    expect([2, 1, 0].map((now) => nextVisibility(now, true))).toEqual([1, 0, 2]);
    expect(nextVisibility(0, false)).toBe(0);
  });
});

describe("a change", () => {
  it("says what it saw, so that the server can tell when somebody else was faster", () => {
    expect(changeOf(4, pose(), 1, { xy: [1, 2] })).toEqual({
      frame: 4, person: 0, joint: 1, xy: [1, 2], visibility: 2, provenance: 2, seen: 7,
    });
  });
});

describe("the limb of a joint", () => {
  const body: Skeleton = {
    joints: ["nose", "left_eye", "left_shoulder", "right_shoulder", "left_wrist", "left_hip", "left_ankle", "left_ear"],
    limbs: [],
    flip: [],
  };
  it("is its arm, leg or half of the face, on its side", () => {
    expect(limbOf(body, 4)).toEqual([2, 4]);
    expect(limbOf(body, 3)).toEqual([3]);
    expect(limbOf(body, 5)).toEqual([5, 6]);
    expect(limbOf(body, 1)).toEqual([1, 7]);
    expect(limbOf(body, 0)).toEqual([0]);
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

describe("a whole person", () => {
  it("is moved joint by joint, those without a place stay without", () => {
    const changes = moved(4, pose(), [5, -3], ([x, y]) => [Math.min(x, 33), y]);
    expect(changes.map(({ joint, xy, provenance }) => [joint, xy, provenance])).toEqual([
      [0, [15, 17], 2],
      [1, [33, 17], 2],
    ]);
  });
});
