/** Joint angles over frames, as the server gives them around a frame. */

import type { Lifted } from "../server/types";

const STEP = 30;

export type Angles = Lifted["angles"];

/** Return an angle's value on a frame, null where there is none. */
export function angleAt({ first, degrees }: Angles, name: string, frame: number): number | null {
  return degrees[name]?.[frame - first] ?? null;
}

/** Return an angle on every frame of a span, null where there is none. */
export function spread(angles: Angles, name: string, [first, last]: readonly [number, number]): (number | null)[] {
  return Array.from({ length: last - first + 1 }, (_, i) => angleAt(angles, name, first + i));
}

/** Return the first and the last frame that some curves reach. */
export function spanOf(curves: readonly Angles[]): [number, number] {
  const ends = curves.map(({ first, degrees }) => first + Math.max(...Object.values(degrees).map((each) => each.length), 1) - 1);
  return [Math.min(...curves.map(({ first }) => first)), Math.max(...ends)];
}

/** Return bounds in whole steps that hold all values. */
export function boundsOf(values: readonly (number | null)[]): [number, number] {
  const known = values.filter((value): value is number => value !== null);
  const least = Math.floor(Math.min(...known, 180) / STEP) * STEP;
  const most = Math.ceil(Math.max(...known, 0) / STEP) * STEP;
  return known.length ? [least, Math.max(most, least + STEP)] : [0, 180];
}
