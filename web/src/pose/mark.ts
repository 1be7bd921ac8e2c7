/** How a joint is marked: by who placed it, else by how sure the model is. */

import { type Bands, CONFIRMED, HUMAN, type Pose, PROPAGATED } from "../server/types";

export type Mark = "disc" | "triangle" | "cross" | "hexagon" | "square" | "diamond";

/** Return the shape of a joint's marker: by who placed it, else by how sure the model is. */
export function markOf(pose: Pick<Pose, "provenance" | "confidence">, joint: number, bands: Bands): Mark {
  const provenance = pose.provenance[joint] ?? 0;
  if (provenance === CONFIRMED) return "diamond";
  if (provenance === HUMAN) return "square";
  if (provenance === PROPAGATED) return "hexagon";
  const confidence = pose.confidence[joint] ?? 0;
  if (confidence >= bands.low) return "disc";
  return confidence >= bands.lost ? "triangle" : "cross";
}
