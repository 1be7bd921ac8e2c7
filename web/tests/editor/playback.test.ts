import { describe, expect, it } from "vitest";
import { due } from "../../src/editor/playback";

describe("the frame that is due", () => {
  it("is the next one while pictures come in time", () => {
    expect(due(10, 10, 99, 25, 0)).toBe(11);
    expect(due(10, 11, 99, 25, 41)).toBe(12);
  });

  it("leaves out what came too late, and ends with the clip", () => {
    expect(due(10, 11, 99, 25, 1000)).toBe(35);
    expect(due(10, 98, 99, 25, 60_000)).toBe(99);
  });
});
