import { describe, expect, it } from "vitest";
import { compressed } from "../../src/queue/scroll";

describe("the bar of a list", () => {
  it("is as long as the list where browsers can lay it out", () => {
    expect(compressed(58_000, 600)).toEqual({ tall: 58_000, scale: 1 });
  });

  it("reaches both ends of one that they cannot", () => {
    const whole = 58 * 1_000_000;
    const { tall, scale } = compressed(whole, 600);
    expect(tall).toBeLessThan(16_000_000);
    expect((tall - 600) * scale).toBeCloseTo(whole - 600, 3);
  });
});
