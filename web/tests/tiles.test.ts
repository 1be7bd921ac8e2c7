import { describe, expect, it } from "vitest";
import { deviation, sheetOf, tilesOf } from "../src/tiles";
import type { Point, Run, Track } from "../src/types";

const run = (first: number, last: number) => ({ first, last }) as Run;
const of = (given: Partial<Parameters<typeof sheetOf>[0]>) =>
  sheetOf({ person: 0, joint: 5, run: null, frame: 20, frames: 100, size: 200, ...given });
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
