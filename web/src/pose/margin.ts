/** Where joints may lie: on the frame, and in a margin around it. */

import type { Point } from "../server/types";

export interface Size {
  width: number;
  height: number;
}

/** Joints may be placed this share of the longer side outside of the frame, as the server allows. */
export const MARGIN = 0.25;

/** Return a place brought inside of where joints may lie. */
export function inside([x, y]: Point, frame: Size): Point {
  const margin = MARGIN * Math.max(frame.width, frame.height);
  const clamp = (value: number, length: number) => Math.min(Math.max(value, -margin), length - 1 + margin);
  return [clamp(x, frame.width), clamp(y, frame.height)];
}
