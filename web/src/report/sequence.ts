/** What the report's page brings of a lifted clip: see `sequence_medium` of `emc.stages.report`. */

import type { Place } from "../space/figure";

export type Name = "before" | "after" | "truth";
export const NAMES: readonly Name[] = ["before", "after", "truth"];

type Millimetres = readonly [number, number, number] | null;

export interface Sequence {
  clip: string;
  fps: number;
  joints: string[];
  limbs: [number, number][];
  /** Frames of joints, millimetres, camera axes, the root at the origin. */
  tracks: Partial<Record<Name, Millimetres[][]>>;
  /** Angle -> track -> degrees per frame. */
  angles: Record<string, Partial<Record<Name, (number | null)[]>>>;
  /** Frames of the video: every `every`-th one as a JPEG (base64), null where there are none. */
  video: { every: number; width: number; height: number; jpeg: string[] } | null;
}

/** Return a frame of a track in metres, y up. */
export function posed(track: readonly Millimetres[][], frame: number): (Place | null)[] {
  return (track[frame] ?? []).map((joint) => (joint ? [joint[0] / 1000, -joint[1] / 1000, -joint[2] / 1000] : null));
}

export interface Extent {
  low: number;
  high: number;
  wide: number;
  floor: number;
}

/** Return how far the tracks reach (metres), and where the floor is: where the lowest joint is on half of the frames. */
export function extentOf(sequence: Sequence): Extent {
  let [low, high, wide] = [0, 0, 0];
  const lowest: number[] = [];
  for (const name of NAMES) {
    const track = sequence.tracks[name] ?? [];
    track.forEach((_, frame) => {
      const places = posed(track, frame).filter((place): place is Place => place !== null);
      if (!places.length) return;
      const heights = places.map(([, y]) => y);
      low = Math.min(low, ...heights);
      high = Math.max(high, ...heights);
      wide = Math.max(wide, ...places.map(([x, , z]) => Math.hypot(x, z)));
      lowest.push(Math.min(...heights));
    });
  }
  lowest.sort((a, b) => a - b);
  return { low, high, wide, floor: lowest[Math.floor(lowest.length / 2)] ?? low };
}

/** Return the picture that belongs to a frame. */
export const pictureAt = (every: number, count: number, frame: number) => Math.min(Math.round(frame / every), count - 1);
