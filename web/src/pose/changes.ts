/** What an action makes of a pose, as changes: nothing here knows the page or the server. */

import { ABSENT, type Change, CONFIRMED, type Frame, HUMAN, OCCLUDED, type Point, type Pose, type Skeleton, type Visibility, VISIBLE } from "../server/types";

/** Return the visibility after `now`: visible, occluded but placed, absent; without a place only absent is left. */
export function nextVisibility(now: number, placed: boolean): Visibility {
  if (!placed) return ABSENT;
  return now === VISIBLE ? OCCLUDED : now === OCCLUDED ? ABSENT : VISIBLE;
}

const LIMBS = [
  ["shoulder", "elbow", "wrist", "hand"],
  ["hip", "knee", "ankle", "heel", "big_toe", "small_toe"],
  ["eye", "ear"],
];

/** Return the joints of the arm, leg or half of the face that a joint belongs to; a joint of the midline is alone. */
export function limbOf(skeleton: Skeleton, joint: number): number[] {
  const parts = (name: string) => /^(left|right)_(.+)$/.exec(name)?.slice(1);
  const [side, part] = parts(skeleton.joints[joint] ?? "") ?? [];
  const limb = LIMBS.find((each) => each.includes(part ?? ""));
  if (!limb) return [joint];
  return skeleton.joints.flatMap((name, index) => {
    const [itsSide, itsPart] = parts(name) ?? [];
    return itsSide === side && limb.includes(itsPart ?? "") ? [index] : [];
  });
}

/** Return the changes that exchange left and right of a whole body on one frame. */
export function swapped(frame: number, pose: Pose, skeleton: Skeleton): Change[] {
  return skeleton.flip.flatMap((other, joint) => {
    const [here, there] = [pose.xy[joint] ?? null, pose.xy[other] ?? null];
    if (other === joint || (!here && !there)) return [];
    return [changeOf(frame, pose, joint, { xy: there, visibility: there ? visibilityOf(pose, other) : ABSENT })];
  });
}

/** Return the changes that move a whole person; `inside` keeps each joint where one can be placed. */
export function moved(frame: number, pose: Pose, [dx, dy]: Point, inside: (place: Point) => Point): Change[] {
  return pose.xy.flatMap((xy, joint) => (xy ? [changeOf(frame, pose, joint, { xy: inside([xy[0] + dx, xy[1] + dy]) })] : []));
}

/** Return the changes that confirm all that a frame shows: joints with a place, and joints said to be absent. */
export function confirmed(frame: Frame): Change[] {
  return frame.poses.flatMap((pose) =>
    pose.xy.flatMap((xy, joint) => {
      const provenance = pose.provenance[joint] ?? 0;
      if (provenance === CONFIRMED || (!xy && provenance < HUMAN)) return [];
      return [changeOf(frame.frame, pose, joint, { provenance: CONFIRMED })];
    }),
  );
}

/** Return a joint's value as a person's change, with what becomes of it; `seen` is the version that the page showed. */
export function changeOf(frame: number, pose: Pose, joint: number, to: Partial<Change> = {}): Change {
  return {
    frame,
    person: pose.person,
    joint,
    xy: pose.xy[joint] ?? null,
    visibility: visibilityOf(pose, joint),
    provenance: HUMAN,
    seen: pose.versions[joint] ?? null,
    ...to,
  };
}

const visibilityOf = (pose: Pose, joint: number) => (pose.visibility[joint] ?? ABSENT) as Visibility;
