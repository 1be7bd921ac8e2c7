import { describe, expect, it } from "vitest";
import { extentFor } from "../../src/space/extent";
import type { Place } from "../../src/space/figure";

describe("the extent around a pose", () => {
  it("holds somebody upright", () => {
    const standing: Place[] = [[0, 0, 0], [0.1, -0.88, 0], [0, 0.72, 0.1]];
    expect(extentFor(standing, -0.9)).toEqual({ low: -1, high: 0.75, wide: 0.9 });
  });

  it("grows in steps with raised arms, and with what lies below the floor", () => {
    const raised: (Place | null)[] = [[0, 0, 0], [0.2, 1.05, 0], null, [0, -0.8, 1.1]];
    expect(extentFor(raised, -0.5)).toEqual({ low: -1, high: 1.25, wide: 1.25 });
  });

  it("is that of somebody upright where nothing is known", () => {
    expect(extentFor([null], -0.9)).toEqual({ low: -0.9, high: 0.75, wide: 0.9 });
  });
});
