import { describe, expect, it } from "vitest";
import { Effort } from "../../src/editor/effort";

describe("gain per minute", () => {
  it("is nothing before there was work", () => {
    expect(new Effort(null).perMinute).toBeNull();
    expect(new Effort(null).curve()).toEqual([]);
  });

  it("counts joints over seconds of work", () => {
    const effort = new Effort(null);
    effort.note(3, 9);
    effort.note(3, 1);
    expect(effort.perMinute).toBe(100);
  });

  it("forgets what lies more than ten minutes of work back", () => {
    const effort = new Effort(null);
    effort.note(600, 6000);
    effort.note(600, 10);
    expect(effort.perMinute).toBe(1);
  });

  it("draws as many joints per minute as there were", () => {
    const effort = new Effort(null);
    for (let i = 0; i < 40; i += 1) effort.note(1.5, 3);
    const curve = effort.curve();
    expect(curve.reduce((sum, each) => sum + each, 0) / curve.length).toBeCloseTo(120, 5);
  });
});
