/** Frames as values: what a change makes of them, which joint is flagged next, how far a person reaches. */

import { ABSENT, type Bands, type Change, type Flag, type Frame, HUMAN, type Pose } from "../server/types";

/** Return a frame with changes made: the same rules as the server's, so that the page need not wait for it. */
export function withChanges(frame: Frame, changes: readonly Change[], bands: Bands): Frame {
  const mine = changes.filter((change) => change.frame === frame.frame);
  if (!mine.length) return frame;
  const poses = frame.poses.map((pose) => changedPose(pose, mine));
  const decided = new Set(mine.map((change) => `${change.person}/${change.joint}`));
  const flagged = frame.flagged.filter((flag) => !decided.has(`${flag.person}/${flag.joint}`));
  return { ...frame, poses, flagged, ...counted(poses, bands) };
}

function changedPose(pose: Pose, changes: readonly Change[]): Pose {
  const mine = changes.filter((change) => change.person === pose.person);
  if (!mine.length) return pose;
  const made: Pose = {
    ...pose,
    xy: [...pose.xy],
    visibility: [...pose.visibility],
    provenance: [...pose.provenance],
  };
  for (const { joint, xy, visibility, provenance } of mine) {
    made.xy[joint] = xy;
    made.visibility[joint] = visibility;
    made.provenance[joint] = provenance;
  }
  return made;
}

/** Return (m, n) of the joints that no person has decided, and the frame's state. */
export function counted(poses: readonly Pose[], bands: Bands): Pick<Frame, "lost" | "low" | "state"> {
  let [lost, low, byHand, placed] = [0, 0, 0, 0];
  for (const pose of poses) {
    pose.provenance.forEach((provenance, joint) => {
      const confidence = pose.confidence[joint] ?? 0;
      if (provenance >= HUMAN) byHand += 1;
      else {
        if (pose.xy[joint]) placed += 1;
        if (confidence < bands.lost) lost += 1;
        else if (confidence < bands.low) low += 1;
      }
    });
  }
  return { lost, low, state: byHand === 0 ? "open" : placed === 0 ? "confirmed" : "changed" };
}

/** Return the open alert after (or before) a joint, person by person in the order of the joints; null past the end. */
export function nextFlag(
  flags: readonly Flag[],
  person: number | null,
  joint: number | null,
  step: 1 | -1,
): Flag | null {
  const ordered = [...flags].sort((a, b) => a.person - b.person || a.joint - b.joint);
  if (person === null || joint === null) return (step > 0 ? ordered[0] : ordered.at(-1)) ?? null;
  const beyond = ordered.filter((flag) => (flag.person - person || flag.joint - joint) * step > 0);
  return (step > 0 ? beyond[0] : beyond.at(-1)) ?? null;
}

/** Return the middle and size of a person: of the detector's box, widened to the joints that have a place. */
export function extent(pose: Pose): { x: number; y: number; width: number; height: number } | null {
  const shown = pose.xy.filter((xy, joint) => xy && pose.visibility[joint] !== ABSENT) as [number, number][];
  const xs = shown.map(([x]) => x);
  const ys = shown.map(([, y]) => y);
  if (pose.box) {
    const [x, y, w, h] = pose.box;
    xs.push(x, x + w);
    ys.push(y, y + h);
  }
  if (!xs.length) return null;
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  return { x: (left + right) / 2, y: (top + bottom) / 2, width: right - left, height: bottom - top };
}
