/** What a contact sheet shows: which frames, how large a crop, and which joint is out of line. */

import type { Point, Run, Track } from "../server/types";

const LEAST = 12;
const MOST = 48;
/** Pictures of one sheet of a joint's whole trajectory: a sixth of a second apart, and no more than so many frames. Between the
 * photos of a folder, which tell nothing of each other, none is left out. */
const STRETCH_TILES = 18;
const MOST_APART = 5;
/** A joint that moved less than this share of its crop looks the same as before. */
const UNSEEN = 0.015;
const OUT_OF_LINE = 0.12;

/** A joint may be so far (share of the longer side) outside of its person's box before it counts as beside the person. */
const BESIDE = 0.15;

type Box = readonly [number, number, number, number];

export interface Sheet {
  person: number;
  joint: number;
  run: Run | null;
  /** Frames of the run. */
  first: number;
  last: number;
  /** Frames shown: the run, and some beside it where it is short. */
  from: number;
  to: number;
  every: number;
  /** Side of the crops in pixels of the frame. */
  side: number;
}

export interface Tile {
  frame: number;
  xy: Point | null;
  /** Middle of the crop: the joint, or where it would be between its neighbours; of the person, where that is elsewhere. */
  middle: Point;
  /** Side of the crop in pixels of the frame. */
  side: number;
  visibility: number;
  provenance: number;
  confidence: number;
  outlier: boolean;
}

/** Return the sheet for a joint: of its run, or of the frames around where one is. `size`: the person's, in pixels.
 * `name`: the joint's. */
export function sheetOf(of: {
  person: number;
  joint: number;
  name: string;
  run: Run | null;
  frame: number;
  frames: number;
  size: number;
}): Sheet {
  const { person, joint, name, run, frame, frames, size } = of;
  const [first, last] = run ? [run.first, run.last] : [Math.max(0, frame - 5), Math.min(frames - 1, frame + 6)];
  const missing = Math.max(0, LEAST - (last - first + 1));
  let from = Math.max(0, first - Math.floor(missing / 2));
  const to = Math.min(frames - 1, from + Math.max(LEAST, last - first + 1 + Math.floor(missing / 2)) - 1);
  from = Math.max(0, Math.min(from, to - LEAST + 1));
  const every = Math.ceil((to - from + 1) / MOST);
  return { person, joint, run, first, last, from, to: Math.max(to, last), every, side: sideOf(name, size) };
}

/** Return the sheet of a joint's whole trajectory: of the stretch of the clip that one is in, every few frames. */
export function trajectorySheet(of: {
  person: number;
  joint: number;
  name: string;
  frame: number;
  frames: number;
  fps: number;
  size: number;
}): Sheet {
  const { person, joint, name, frame, frames, fps, size } = of;
  const apart = Math.min(Math.max(Math.round(fps / 6), 1), MOST_APART);
  const first = Math.floor(frame / (apart * STRETCH_TILES)) * apart * STRETCH_TILES;
  const last = Math.min(first + apart * STRETCH_TILES, frames) - 1;
  const every = Math.ceil((last - first + 1) / STRETCH_TILES);
  return { person, joint, run: null, first, last, from: first, to: last, every, side: sideOf(name, size) };
}

/** Return what to look at after a sheet of a whole trajectory: the next joint, then the next stretch; null past the end. */
export function afterTrajectory(sheet: Sheet, joints: number, frames: number): { joint: number; frame: number } | null {
  if (sheet.joint + 1 < joints) return { joint: sheet.joint + 1, frame: sheet.first };
  return sheet.last + 1 < frames ? { joint: 0, frame: sheet.last + 1 } : null;
}

/** What a crop shows of a person's size: the head's joints near by; where a limb ends enough that a wrong place and the right
 * one are in the same picture, for what lies outside of it cannot be clicked. */
const CROPS: [RegExp, number][] = [
  [/nose|eye|ear|head|face|chin/, 0.3],
  [/elbow|wrist|hand|knee|ankle|foot|heel|toe/, 0.7],
];
const CROP = 0.42;
const sideOf = (name: string, size: number) =>
  Math.max(40, Math.round((CROPS.find(([words]) => words.test(name))?.[1] ?? CROP) * size));

const WIDEST = 225;
const NARROWEST = 96;
const GAP = 10;
const FOOT = 34;

/** Return how wide (CSS pixels) tiles may be so that all of them fit on one screen: what must be scrolled to is missed. */
export function tileWidth(count: number, width: number, height: number): number {
  for (let columns = 1; columns <= count; columns += 1) {
    const wide = Math.floor((width - (columns - 1) * GAP) / columns);
    if (wide < NARROWEST) break;
    if (Math.ceil(count / columns) * (wide + FOOT + GAP) <= height) return Math.min(wide, WIDEST);
  }
  return NARROWEST;
}

/** Return the frames of the tiles whose joint is visibly elsewhere than where it was last seen. `side`: of the crops. */
export function changedFrames(seen: ReadonlyMap<number, Point | null>, now: readonly Tile[], side: number): Set<number> {
  const moved = ({ frame, xy }: Tile) => {
    const before = seen.get(frame);
    if (before === undefined) return false;
    if (!before || !xy) return before !== xy;
    return Math.hypot(xy[0] - before[0], xy[1] - before[1]) > UNSEEN * side;
  };
  return new Set(now.filter(moved).map(({ frame }) => frame));
}

/** Return the tiles of a sheet from the joint's track. */
export function tilesOf(track: Track, sheet: Sheet, boxOf: (frame: number) => Box | null = () => null): Tile[] {
  return track.frames.flatMap((frame, i) => {
    const middle = track.xy[i] ?? nearest(track.xy, i);
    if (!middle || (frame - sheet.from) % sheet.every !== Math.floor(sheet.every / 2)) return [];
    return [
      {
        frame,
        xy: track.xy[i] ?? null,
        ...cutOf(middle, sheet.side, boxOf(frame)),
        visibility: track.visibility[i] ?? 0,
        provenance: track.provenance[i] ?? 0,
        confidence: track.confidence[i] ?? 0,
        outlier: deviation(track.xy, i) > OUT_OF_LINE * sheet.side,
      },
    ];
  });
}

/** Return the crop of a tile. A joint that the model put beside the person cannot be clicked to where it belongs unless the
 * person is in the picture: then that is what the crop shows. */
export function cutOf(joint: Point, side: number, box: Box | null): { middle: Point; side: number } {
  if (!box) return { middle: joint, side };
  const [x, y, width, height] = box;
  const beside = BESIDE * Math.max(width, height);
  const near = joint[0] >= x - beside && joint[0] <= x + width + beside && joint[1] >= y - beside && joint[1] <= y + height + beside;
  if (near) return { middle: joint, side };
  return { middle: [x + width / 2, y + height / 2], side: Math.max(side, Math.round(1.1 * Math.max(width, height))) };
}

/** Return how far (pixels) a place is from the middle of its neighbours, 0 where there are not two. */
export function deviation(places: readonly (Point | null)[], i: number): number {
  const [before, here, after] = [places[i - 1], places[i], places[i + 1]];
  if (!before || !here || !after) return 0;
  return Math.hypot(here[0] - (before[0] + after[0]) / 2, here[1] - (before[1] + after[1]) / 2);
}

function nearest(places: readonly (Point | null)[], i: number): Point | null {
  for (let away = 1; away < places.length; away += 1) {
    const found = places[i - away] ?? places[i + away];
    if (found) return found;
  }
  return null;
}
