/** How a joint is marked: by who placed it, else by how sure the model is. */

import { type Bands, CONFIRMED, type Flag, type Frame, HUMAN, type Pose, PROPAGATED } from "../server/types";

export type Mark = "disc" | "triangle" | "cross" | "hexagon" | "square" | "diamond";

/** Return the alert of a joint on a frame, undefined where it is not flagged. */
export const flagOf = (frame: Pick<Frame, "flagged"> | null, person: number, joint: number): Flag | undefined =>
  frame?.flagged.find((flag) => flag.person === person && flag.joint === joint);

/** Return how probably a joint is wrong: what its alert says, else what the model itself says of this frame. */
export const wrongness = (pose: Pick<Pose, "confidence">, joint: number, flag: Flag | undefined): number =>
  flag ? flag.severity : 1 - (pose.confidence[joint] ?? 0);

/** Return the shape of a joint's marker: by who placed it, else by what its alert says, else by how sure the model is. What
 * is called lost looks lost, also on a frame of the run on which the model is sure of it. */
export function markOf(pose: Pick<Pose, "provenance" | "confidence">, joint: number, bands: Bands, flag?: Flag): Mark {
  const provenance = pose.provenance[joint] ?? 0;
  if (provenance === CONFIRMED) return "diamond";
  if (provenance === HUMAN) return "square";
  if (provenance === PROPAGATED) return "hexagon";
  const confidence = pose.confidence[joint] ?? 0;
  if (flag?.reason === "lost") return "cross";
  if (flag?.reason === "low_confidence" && confidence >= bands.lost) return "triangle";
  if (confidence >= bands.low) return "disc";
  return confidence >= bands.lost ? "triangle" : "cross";
}
