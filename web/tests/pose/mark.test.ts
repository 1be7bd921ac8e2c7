import { describe, expect, it } from "vitest";
import { markOf } from "../../src/pose/mark";
import type { Pose } from "../../src/server/types";

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

describe("marks", () => {
  it("show who placed a joint, else how sure the model is", () => {
    expect([0, 1, 2].map((joint) => markOf(pose(), joint, bands))).toEqual(["disc", "triangle", "cross"]);
    const placed = pose({ provenance: [1, 2, 3] });
    expect([0, 1, 2].map((joint) => markOf(placed, joint, bands))).toEqual(["hexagon", "square", "diamond"]);
  });
});
