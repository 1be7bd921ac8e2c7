import { expect, test } from "vitest";
import { spanOf } from "../../src/widgets/span";

test("values far enough apart are the range", () => {
  expect(spanOf([3, 1, 9], 2)).toEqual([1, 9]);
});

test("nothing is drawn on a range of a rounding error", () => {
  const [low, high] = spanOf([5, 5 + 1e-11], 2);
  expect(low).toBeCloseTo(4, 9);
  expect(high).toBeCloseTo(6, 9);
  expect(spanOf([0.5], 0.02)).toEqual([0.49, 0.51]);
});

test("the smallest range stays within what values can be", () => {
  expect(spanOf([1, 1], 0.02, [0, 1])).toEqual([0.98, 1]);
  expect(spanOf([0, 0], 0.02, [0, 1])).toEqual([0, 0.02]);
});
