import { describe, expect, it } from "vitest";
import type { Point, Run, Track } from "../../src/server/types";
import { afterTrajectory, changedFrames, cutOf, deviation, sheetOf, type Tile, tilesOf, tileWidth, trajectorySheet } from "../../src/sheet/tiles";

const run = (first: number, last: number) => ({ first, last }) as Run;
const of = (given: Partial<Parameters<typeof sheetOf>[0]>) =>
  sheetOf({ person: 0, joint: 5, name: "left_shoulder", run: null, frame: 20, frames: 100, size: 200, ...given });
const track = (places: (Point | null)[]): Track => ({
  frames: places.map((_, i) => i),
  xy: places,
  visibility: places.map(() => 2),
  provenance: places.map(() => 0),
  confidence: places.map(() => 0.5),
  versions: places.map(() => 0),
  predicted: places,
});

describe("a contact sheet", () => {
  it("shows at least twelve frames, the run in their middle", () => {
    const sheet = of({ run: run(50, 51) });
    expect([sheet.first, sheet.last]).toEqual([50, 51]);
    expect(sheet.to - sheet.from + 1).toBeGreaterThanOrEqual(12);
    expect(sheet.from).toBeLessThan(50);
    expect(sheet.to).toBeGreaterThan(51);
  });

  it("stays inside of the clip", () => {
    expect([of({ run: run(0, 1) }).from, of({ run: run(98, 99) }).to]).toEqual([0, 99]);
    const short = of({ run: run(2, 4), frames: 8 });
    expect([short.from, short.to]).toEqual([0, 7]);
  });

  it("leaves frames out of a long run rather than scroll for ever", () => {
    const sheet = of({ run: run(0, 479), frames: 1000 });
    expect(sheet.every).toBe(10);
    const places = Array.from({ length: 480 }, (_, i): Point => [i, 0]);
    expect(tilesOf(track(places), sheet)).toHaveLength(48);
  });

  it("shows the person where the model put the joint beside it", () => {
    const box = [100, 100, 60, 200] as const;
    expect(cutOf([170, 310], 70, box)).toEqual({ middle: [170, 310], side: 70 });
    expect(cutOf([195, 200], 70, box)).toEqual({ middle: [130, 200], side: 220 });
    expect(cutOf([9, 9], 70, null)).toEqual({ middle: [9, 9], side: 70 });
    const tiles = tilesOf(track([[500, 20], [130, 150]]), { ...of({ run: run(0, 1), frames: 2 }), every: 1 }, () => box);
    expect(tiles.map(({ middle }) => middle)).toEqual([[130, 200], [130, 150]]);
  });

  it("marks the joint that leaves the line of its neighbours, and not those beside it on a steady way", () => {
    const places: Point[] = Array.from({ length: 12 }, (_, i) => [10 + 4 * i, 50]);
    places[6] = [80, 90];
    const sheet = of({ run: run(0, 11), frames: 12 });
    const outliers = tilesOf(track(places), sheet).filter(({ outlier }) => outlier).map(({ frame }) => frame);
    expect(outliers).toContain(6);
    expect(outliers).not.toContain(3);
    expect(deviation(places, 3)).toBe(0);
    expect(deviation(places, 0)).toBe(0);
  });

  it("cuts out where the neighbours are when a joint has no place, and shows nothing where none has", () => {
    const sheet = of({ run: run(0, 2), frames: 3 });
    expect(tilesOf(track([[5, 6], null, [9, 9]]), sheet)[1]).toMatchObject({ xy: null, middle: [5, 6] });
    expect(tilesOf(track([null, null, null]), sheet)).toEqual([]);
  });
});

describe("the sheet of a joint's whole way", () => {
  const whole = (given: Partial<Parameters<typeof trajectorySheet>[0]>) =>
    trajectorySheet({ person: 0, joint: 5, name: "left_shoulder", frame: 20, frames: 90, fps: 30, size: 200, ...given });

  it("shows eighteen pictures of ninety frames, and the stretch that one is in of a longer clip", () => {
    expect(whole({})).toMatchObject({ first: 0, last: 89, every: 5, side: 84 });
    expect(whole({ frame: 100, frames: 200 })).toMatchObject({ first: 90, last: 179, every: 5 });
    expect(whole({ frame: 199, frames: 200 })).toMatchObject({ first: 180, last: 199, every: 2 });
    expect(tilesOf(track(Array.from({ length: 10 }, () => [1, 1] as Point)), { ...whole({}), last: 9, to: 9 }).map(({ frame }) => frame)).toEqual([2, 7]);
  });

  it("leaves out no photo of a folder, and fewer frames where they are further apart in time", () => {
    expect(whole({ fps: 1, frame: 3, frames: 20 })).toMatchObject({ first: 0, last: 17, every: 1 });
    expect(whole({ fps: 1, frame: 19, frames: 20 })).toMatchObject({ first: 18, last: 19, every: 1 });
    expect(whole({ fps: 12, frame: 40, frames: 90 })).toMatchObject({ first: 36, last: 71, every: 2 });
    expect(whole({ fps: 120, frames: 200 })).toMatchObject({ first: 0, last: 89, every: 5 });
  });

  it("shows the head from near, and more of the person where a limb ends", () => {
    expect(whole({ name: "left_eye" }).side).toBe(60);
    expect(whole({ name: "right_ankle" }).side).toBe(140);
  });

  it("goes on joint by joint, then to the next stretch, then to nothing", () => {
    expect(afterTrajectory(whole({ joint: 5 }), 17, 90)).toEqual({ joint: 6, frame: 0 });
    expect(afterTrajectory(whole({ joint: 16, frames: 200 }), 17, 200)).toEqual({ joint: 0, frame: 90 });
    expect(afterTrajectory(whole({ joint: 16 }), 17, 90)).toBeNull();
  });

  it("tells which pictures an action changed", () => {
    const tile = (frame: number, xy: Point | null) => ({ frame, xy }) as Tile;
    const seen = new Map<number, Point | null>([[0, [1, 1]], [3, [2, 2]], [6, null], [12, [7, 7]]]);
    const now = [tile(0, [1, 1]), tile(3, [2, 5]), tile(6, [4, 4]), tile(9, [5, 5]), tile(12, [7, 8])];
    expect([...changedFrames(seen, now, 100)]).toEqual([3, 6]);
  });
});

describe("the width of tiles", () => {
  it("lets all of them fit on one screen, as wide as that allows", () => {
    expect(tileWidth(24, 1340, 620)).toBe(158);
    expect(tileWidth(30, 1340, 620)).toBe(125);
    expect(tileWidth(3, 1340, 620)).toBe(225);
  });

  it("stays wide enough to aim at where there is no room", () => {
    expect(tileWidth(48, 400, 300)).toBe(96);
  });
});
