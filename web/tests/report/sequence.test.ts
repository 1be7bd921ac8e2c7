import { describe, expect, it } from "vitest";
import { extentOf, pictureAt, posed, type Sequence } from "../../src/report/sequence";

const sequence: Sequence = {
  clip: "kick",
  fps: 30,
  joints: ["pelvis", "right_ankle"],
  limbs: [[0, 1]],
  tracks: {
    before: [
      [[0, 0, 0], [300, 900, 400]],
      [[0, 0, 0], null],
      [[0, 0, 0], [0, 800, 0]],
    ],
    truth: [
      [[0, 0, 0], [0, 900, 0]],
      [[0, 0, 0], [0, -200, 0]],
      [[0, 0, 0], [0, 900, 0]],
    ],
  },
  angles: {},
  video: null,
};

describe("a lifted sequence", () => {
  it("is turned upright, in metres, and joints that are not there stay away", () => {
    expect(posed(sequence.tracks.before ?? [], 0)).toEqual([[0, -0, -0], [0.3, -0.9, -0.4]]);
    expect(posed(sequence.tracks.before ?? [], 1)[1]).toBeNull();
    expect(posed(sequence.tracks.before ?? [], 9)).toEqual([]);
  });

  it("reaches as far as its joints do; the floor is where the lowest joint is on half of the frames", () => {
    const found = extentOf(sequence);
    expect(found.low).toBeCloseTo(-0.9);
    expect(found.high).toBeCloseTo(0.2);
    expect(found.wide).toBeCloseTo(0.5);
    // Lowest joints: -0.9, -0.9, -0.9, -0.8, 0 (not found), 0 (the raised foot).
    expect(found.floor).toBeCloseTo(-0.8);
  });
});

describe("what goes with it", () => {
  it("is the nearest picture of the video, never one beyond the last", () => {
    expect([0, 1, 2, 3, 29].map((frame) => pictureAt(3, 9, frame))).toEqual([0, 0, 1, 1, 8]);
  });

});
