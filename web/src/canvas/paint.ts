/** Drawing: skeletons, markers and the frame's surroundings on a 2D canvas, in CSS pixels. */

import { MARGIN, type Size } from "../pose/margin";
import { flagOf, type Mark, markOf } from "../pose/mark";
import { ABSENT, type Bands, type Frame, OCCLUDED, type Point, type Pose, type Skeleton } from "../server/types";
import { colourOf, INK, OUTLINES, PAPER } from "./palette";
import { toScreen, type View } from "./view";

/** What is needed to draw a person. */
export interface Drawn {
  view: View;
  skeleton: Skeleton;
  bands: Bands;
  /** Size of markers and lines: 1 on usual screens, more on large ones. */
  unit: number;
}

export interface Shown extends Drawn {
  frame: Frame;
  person: number | null;
  /** A joint (or a whole person) that the overlay draws, because it is held. */
  held: { person: number; joint: number; whole?: true } | null;
}

/** Return the size of markers for a picture of this size on the screen. */
export const unitOf = (screen: Size) => Math.min(Math.max(Math.min(screen.width, screen.height) / 760, 1), 2.2);

/** Draw the frame's picture and its border; around it is the margin in which joints may lie. */
export function paintPicture(
  context: CanvasRenderingContext2D,
  picture: ImageBitmap | null,
  view: View,
  size: Size,
): void {
  const margin = MARGIN * Math.max(size.width, size.height);
  const [left, top] = toScreen(view, [-0.5 - margin, -0.5 - margin]);
  const [x, y] = toScreen(view, [-0.5, -0.5]);
  const [width, height] = [size.width * view.scale, size.height * view.scale];
  context.fillStyle = "rgba(127, 137, 147, 0.13)";
  context.fillRect(left, top, width + 2 * margin * view.scale, height + 2 * margin * view.scale);
  if (picture && picture.width > 0) {
    context.imageSmoothingEnabled = view.scale < 6;
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, x, y, width, height);
  } else {
    context.fillStyle = "rgba(20, 24, 28, 0.55)";
    context.fillRect(x, y, width, height);
  }
  context.strokeStyle = "rgba(127, 137, 147, 0.8)";
  context.lineWidth = 1;
  context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
}

/** Draw all persons of a frame, the chosen one last and in full strength. */
export function paintPeople(context: CanvasRenderingContext2D, shown: Shown): void {
  const others = shown.frame.poses.filter((pose) => pose.person !== shown.person);
  context.globalAlpha = 0.6;
  for (const pose of others) paintPose(context, shown, pose);
  context.globalAlpha = 1;
  for (const pose of shown.frame.poses) if (pose.person === shown.person) paintPose(context, shown, pose);
}

function paintPose(context: CanvasRenderingContext2D, shown: Shown, pose: Pose): void {
  const strength = context.globalAlpha;
  shown.skeleton.limbs.forEach(([a, b]) => {
    if (isHeld(shown, pose, a) || isHeld(shown, pose, b)) return;
    paintLimb(context, shown, pose, a, b);
  });
  const flags = new Set(shown.frame.flagged.filter((f) => f.person === pose.person).map((f) => f.joint));
  pose.xy.forEach((xy, joint) => {
    if (!xy || isHeld(shown, pose, joint)) return;
    const visibility = pose.visibility[joint] ?? 0;
    context.globalAlpha = visibility === ABSENT ? strength * 0.55 : strength;
    const at = toScreen(shown.view, xy);
    paintMark(context, markIn(shown, pose, joint), at, colourOf(pose.person), visibility, shown.unit);
    if (flags.has(joint) && pose.person === shown.person) paintFlag(context, at, shown.unit);
  });
  context.globalAlpha = strength;
}

const markIn = ({ frame, bands }: Shown, pose: Pose, joint: number) => markOf(pose, joint, bands, flagOf(frame, pose.person, joint));

function isHeld(shown: Shown, pose: Pose, joint: number): boolean {
  return shown.held?.person === pose.person && (shown.held.whole === true || shown.held.joint === joint);
}

/** Draw a limb: the person's left side dashed, so that a swap shows; thin where an end is not sure. */
function paintLimb(context: CanvasRenderingContext2D, shown: Shown, pose: Pose, a: number, b: number): void {
  const [from, to] = [pose.xy[a], pose.xy[b]];
  if (!from || !to || pose.visibility[a] === ABSENT || pose.visibility[b] === ABSENT) return;
  const unsure = [a, b].some((joint) => ["cross", "triangle"].includes(markIn(shown, pose, joint)));
  const left = [a, b].every((joint) => shown.skeleton.joints[joint]?.startsWith("left_"));
  paintLine(context, toScreen(shown.view, from), toScreen(shown.view, to), colourOf(pose.person), (unsure ? 1.6 : 3) * shown.unit, left);
}

export function paintLine(
  context: CanvasRenderingContext2D,
  from: Point,
  to: Point,
  colour: string,
  width: number,
  dashed: boolean,
): void {
  context.setLineDash(dashed ? [7, 4] : []);
  context.lineCap = dashed ? "butt" : "round";
  for (const [style, wide] of [
    ["rgba(0, 0, 0, 0.55)", width + 2],
    [colour, width],
  ] as const) {
    context.strokeStyle = style;
    context.lineWidth = wide;
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
  }
  context.setLineDash([]);
}

const paths = new Map<Mark, Path2D>();

function pathOf(mark: Mark): Path2D {
  const held = paths.get(mark) ?? new Path2D(OUTLINES[mark]);
  paths.set(mark, held);
  return held;
}

/** Draw a marker: filled where the joint is visible, hollow where it is occluded or absent. */
export function paintMark(
  context: CanvasRenderingContext2D,
  mark: Mark,
  at: Point,
  colour: string,
  visibility: number,
  unit: number,
): void {
  const path = pathOf(mark);
  context.save();
  context.translate(...at);
  context.scale(5.5 * unit, 5.5 * unit);
  context.lineJoin = "round";
  if (visibility === OCCLUDED || visibility === ABSENT) {
    context.strokeStyle = INK;
    context.lineWidth = 0.85;
    context.stroke(path);
    context.strokeStyle = colour;
    context.lineWidth = 0.45;
    context.stroke(path);
  } else {
    context.strokeStyle = INK;
    context.lineWidth = 0.75;
    context.stroke(path);
    context.strokeStyle = PAPER;
    context.lineWidth = 0.4;
    context.stroke(path);
    context.fillStyle = colour;
    context.fill(path);
  }
  context.restore();
}

function paintFlag(context: CanvasRenderingContext2D, at: Point, unit: number): void {
  circle(context, at, 11 * unit, "rgba(0, 0, 0, 0.5)", 3.2 * unit);
  circle(context, at, 11 * unit, "#ffd166", 1.6 * unit);
}

export function circle(
  context: CanvasRenderingContext2D,
  at: Point,
  radius: number,
  style: string,
  width: number,
  dash: number[] = [],
): void {
  context.setLineDash(dash);
  context.strokeStyle = style;
  context.lineWidth = width;
  context.beginPath();
  context.arc(at[0], at[1], radius, 0, 2 * Math.PI);
  context.stroke();
  context.setLineDash([]);
}
