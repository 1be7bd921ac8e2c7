import { expect, it } from "vitest";
import { boxOf } from "../../src/editor/corrections";

it("a box may be drawn from any corner", () => {
  expect(boxOf([30, 80], [10, 20])).toEqual([10, 20, 20, 60]);
});
