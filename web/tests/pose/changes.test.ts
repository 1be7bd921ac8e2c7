import { describe, expect, it } from "vitest";
import { changeOf, confirmed, limbOf, moved, nextVisibility, swapped } from "../../src/pose/changes";
import { counted, withChanges } from "../../src/pose/frame";
import type { Frame, Pose, Skeleton } from "../../src/server/types";

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

describe("changes", () => {
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

describe("a whole person", () => {
  it("is moved joint by joint, those without a place stay without", () => {
    const changes = moved(4, pose(), [5, -3], ([x, y]) => [Math.min(x, 33), y]);
    expect(changes.map(({ joint, xy, provenance }) => [joint, xy, provenance])).toEqual([
      [0, [15, 17], 2],
      [1, [33, 17], 2],
    ]);
  });
});
