/** A long list in a box that browsers can lay out. */

const MOST_PIXELS = 8_000_000;

/** Return the height to lay out for a list of `whole` pixels seen through `room`, and how many pixels of the list one
 * pixel of the bar stands for: both ends of the list lie at the ends of the bar. */
export function compressed(whole: number, room: number): { tall: number; scale: number } {
  if (whole <= MOST_PIXELS) return { tall: whole, scale: 1 };
  return { tall: MOST_PIXELS, scale: (whole - room) / (MOST_PIXELS - room) };
}
