import { expect, it } from "vitest";
import { inside } from "../../src/pose/margin";

it("joints stay within a quarter of the longer side outside of the frame", () => {
  expect(inside([-500, 90], { width: 200, height: 100 })).toEqual([-50, 90]);
  expect(inside([260, 160], { width: 200, height: 100 })).toEqual([249, 149]);
});
