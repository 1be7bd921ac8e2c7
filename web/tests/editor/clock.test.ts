import { expect, it } from "vitest";
import { Clock } from "../../src/editor/clock";

it("counts work, and a long pause only in part", () => {
  let now = 0;
  const clock = new Clock(() => now);
  now = 2000;
  expect(clock.take()).toBe(2);
  now += 1000;
  clock.seen();
  now += 3_600_000;
  expect(clock.take()).toBe(16);
  expect(clock.take()).toBe(0);
});
