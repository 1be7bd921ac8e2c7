import { describe, expect, it } from "vitest";
import { angleAt, type Angles, boundsOf, spanOf, spread } from "../../src/scene/angles";

const now: Angles = { first: 10, degrees: { left_knee: [5, null, 95], trunk: [0, 1, 2] } };
const before: Angles = { first: 11, degrees: { left_knee: [40, 50, 60] } };

describe("joint angles around a frame", () => {
  it("are found by their frame", () => {
    expect(angleAt(now, "left_knee", 12)).toBe(95);
    expect(angleAt(now, "left_knee", 11)).toBeNull();
    expect(angleAt(now, "left_knee", 9)).toBeNull();
    expect(angleAt(now, "no_such", 10)).toBeNull();
  });

  it("of now and before are laid over the same frames", () => {
    const span = spanOf([now, before]);
    expect(span).toEqual([10, 13]);
    expect(spread(now, "left_knee", span)).toEqual([5, null, 95, null]);
    expect(spread(before, "left_knee", span)).toEqual([null, 40, 50, 60]);
  });

  it("lie between whole steps of thirty degrees", () => {
    expect(boundsOf([5, null, 95])).toEqual([0, 120]);
    expect(boundsOf([30, 30])).toEqual([30, 60]);
    expect(boundsOf([null])).toEqual([0, 180]);
  });
});
