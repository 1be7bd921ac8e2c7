import { expect, it } from "vitest";
import { pathOf } from "../../src/space/curve";

it("a curve is an SVG path, with gaps where an angle is unknown", () => {
  expect(pathOf([0, 90, null, 180], { width: 300, height: 100 }, [0, 180])).toBe("M0.0,100.0L100.0,50.0M300.0,0.0");
});
