/** What part of space is looked at, and from where. */

import type { Place } from "./figure";

/** From where the camera stood, from the person's side as the camera saw them, from above. */
export const VIEWS = {
  camera: { around: 0, up: 0.06, zoom: 1 },
  side: { around: Math.PI / 2, up: 0.06, zoom: 1 },
  above: { around: 0, up: 1.5, zoom: 1 },
} as const;

export type ViewName = keyof typeof VIEWS;

/** Metres: steps in which the extent grows, so that it does not breathe with every frame. */
const STEP = 0.25;
/** The crown of somebody upright, above the pelvis. */
const UPRIGHT = 0.75;
const WIDE = 0.9;

export interface Extent {
  low: number;
  high: number;
  wide: number;
}

/** Return the extent that holds a pose around its pelvis (y up) and its floor: raised arms and a foot below it too. */
export function extentFor(places: readonly (Place | null)[], floor: number): Extent {
  const there = places.filter((place): place is Place => place !== null);
  const heights = there.map(([, y]) => y);
  const wide = Math.max(0, ...there.map(([x, , z]) => Math.hypot(x, z)));
  return {
    low: Math.min(floor, -stepped(Math.max(0, ...heights.map((y) => -y)))),
    high: Math.max(UPRIGHT, stepped(Math.max(0, ...heights))),
    wide: Math.max(WIDE, stepped(wide)),
  };
}

const stepped = (length: number) => Math.ceil(length / STEP - 1e-9) * STEP;
