import { describe, expect, it } from "vitest";
import { flagOf, markOf, wrongness } from "../../src/pose/mark";
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

  it("show what is called lost as lost, and low as low, whatever the model says of this frame", () => {
    const flag = (reason: string) => ({ person: 0, joint: 0, reason, severity: 0.96 });
    expect(["lost", "low_confidence", "jump"].map((reason) => markOf(pose(), 0, bands, flag(reason)))).toEqual(["cross", "triangle", "disc"]);
    expect(markOf(pose(), 2, bands, { ...flag("low_confidence"), joint: 2 })).toBe("cross");
    expect(markOf(pose({ provenance: [2, 0, 0] }), 0, bands, flag("lost"))).toBe("square");
  });
});

describe("how probably a joint is wrong", () => {
  it("is what its alert says, as in the queue, else what the model says", () => {
    const frame = { flagged: [{ person: 0, joint: 1, reason: "jump", severity: 0.96 }] };
    expect([0, 1, 2].map((joint) => wrongness(pose(), joint, flagOf(frame, 0, joint)).toFixed(2))).toEqual(["0.10", "0.96", "1.00"]);
    expect([flagOf(frame, 1, 1), flagOf(null, 0, 1)]).toEqual([undefined, undefined]);
  });
});
