import { describe, expect, it } from "vitest";
import { boxOf } from "../../src/editor/corrections";
import { extentOf, pathOf, pictureAt, posed, type Sequence } from "../../src/report/sequence";
import { reasonWord, reasonWords } from "../../src/server/queue";

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

  it("is a curve with gaps where an angle is unknown", () => {
    expect(pathOf([0, 90, null, 180], { width: 300, height: 100 }, [0, 180])).toBe("M0.0,100.0L100.0,50.0M300.0,0.0");
  });
});

it("a box may be drawn from any corner", () => {
  expect(boxOf([30, 80], [10, 20])).toEqual([10, 20, 20, 60]);
});

it("every reason has a short word", () => {
  expect([reasonWord("lift_residual"), reasonWords("lift_residual")]).toEqual(["3D", "3D does not fit"]);
});
