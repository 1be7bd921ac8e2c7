/** From pixels of the frame to the screen: screen = frame * scale + (x, y), in CSS pixels. */

import { MARGIN, type Size } from "../pose/margin";
import type { Point } from "../server/types";

export interface View {
  scale: number;
  x: number;
  y: number;
}

export const MAX_SCALE = 40;

export const toScreen = (view: View, [x, y]: Point): Point => [x * view.scale + view.x, y * view.scale + view.y];
export const toFrame = (view: View, [x, y]: Point): Point => [(x - view.x) / view.scale, (y - view.y) / view.scale];

/** Return the view that shows a region (its middle and size) as large as it fits, with room around it. */
export function fitting(screen: Size, region: { x: number; y: number } & Size, room = 0.16): View {
  const wide = screen.width / Math.max(region.width * (1 + 2 * room), 1);
  const high = screen.height / Math.max(region.height * (1 + 2 * room), 1);
  const scale = Math.min(wide, high, MAX_SCALE);
  return { scale, x: screen.width / 2 - region.x * scale, y: screen.height / 2 - region.y * scale };
}

/** Return a view zoomed by `factor` with the frame's point under `at` (screen) kept there. */
export function zoomed(view: View, factor: number, at: Point, least: number): View {
  const scale = Math.min(Math.max(view.scale * factor, least), MAX_SCALE);
  const [x, y] = toFrame(view, at);
  return { scale, x: at[0] - x * scale, y: at[1] - y * scale };
}

/** Return the view moved so that some of the frame and its margin stays in sight. */
export function kept(view: View, screen: Size, frame: Size): View {
  const margin = MARGIN * Math.max(frame.width, frame.height);
  const least = 60;
  const limit = (at: number, length: number, room: number) =>
    Math.min(Math.max(at, least - (length + margin) * view.scale), room - least + margin * view.scale);
  return {
    scale: view.scale,
    x: limit(view.x, frame.width, screen.width),
    y: limit(view.y, frame.height, screen.height),
  };
}

/** Return the view moved just so far that a point (frame) is at least `room` CSS pixels inside of the screen. */
export function revealing(view: View, point: Point, screen: Size, room = 90): View {
  const [x, y] = toScreen(view, point);
  const push = (at: number, length: number) => {
    const edge = Math.min(room, length / 3);
    return at < edge ? edge - at : at > length - edge ? length - edge - at : 0;
  };
  return { scale: view.scale, x: view.x + push(x, screen.width), y: view.y + push(y, screen.height) };
}

/** Return how much of a region (its middle and size, in the frame) is in sight: a share of it, or of the screen where that is
 * smaller. */
export function inSight(view: View, region: { x: number; y: number } & Size, screen: Size): number {
  const [wide, high] = [region.width * view.scale, region.height * view.scale];
  const [left, top] = toScreen(view, [region.x - region.width / 2, region.y - region.height / 2]);
  const seen = (start: number, length: number, room: number) => Math.max(0, Math.min(start + length, room) - Math.max(start, 0));
  const shown = seen(left, wide, screen.width) * seen(top, high, screen.height);
  return shown / Math.max(Math.min(wide * high, screen.width * screen.height), 1);
}

/** Width of the circle in which a joint counts as well placed, in CSS pixels at least. */
export const TOLERANCE_PIXELS = 24;

/** Return how far (pixels of the frame) a joint may lie from the truth: a share of the person's size. */
export const toleranceOf = (person: Size | null) => 0.025 * Math.max(person?.width ?? 0, person?.height ?? 0, 40);

/** Return the view that brings a point of the frame under a place of the screen, zoomed in until the tolerance there is
 * wide enough to aim at, and never out. */
export function brought(view: View, point: Point, to: Point, tolerance: number): View {
  const scale = Math.min(Math.max(view.scale, TOLERANCE_PIXELS / 2 / tolerance), MAX_SCALE);
  return { scale, x: to[0] - point[0] * scale, y: to[1] - point[1] * scale };
}

/** Return where on the screen a suspect joint is to come: at the pointer (where there is none: where it is already), but
 * not nearer to the border than a quarter. */
export function aimed([x, y]: Point, screen: Size): Point {
  const clamp = (at: number, length: number) => Math.min(Math.max(at, length / 4), (3 * length) / 4);
  return [clamp(x, screen.width), clamp(y, screen.height)];
}
