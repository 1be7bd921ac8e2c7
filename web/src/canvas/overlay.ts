/** Drawing over the skeletons: the active and the held joint, its trajectory, candidates, repairs, comparisons. */

import type { Size } from "../pose/margin";
import { markOf } from "../pose/mark";
import { ABSENT, type Bands, type Candidate, type Compared, type Frame, type Ghost, HUMAN, type Lifted, type Point, type Pose, PROPAGATED, type Side, type Skeleton, VISIBLE } from "../server/types";
import { circle, type Drawn, paintLine, paintMark, paintPicture } from "./paint";
import { colourOf, INK, PAPER } from "./palette";
import { toScreen, type View } from "./view";

const HELD_RADIUS = 13;
const GHOST = "#ffd166";
const OFF = "#ff5d8f";
/** A lifted joint that lies this share of the person's size beside the 2D one disagrees with it. */
export const DISAGREES = 0.03;

type Canvas = CanvasRenderingContext2D;

/** Draw the ring around the active joint with its name, and the circle in which a click is right. */
export function paintActive(
  context: Canvas,
  at: Point,
  words: string,
  { armed, reach, unit }: { armed: boolean; reach: number; unit: number },
): void {
  const radius = Math.max(reach, 12, 15 * unit);
  circle(context, at, radius, INK, 4 * unit);
  circle(context, at, radius, PAPER, 2 * unit, armed ? [5 * unit, 4 * unit] : []);
  if (words) paintWords(context, [at[0] + radius + 6 * unit, at[1] - 14 * unit], words, unit);
}

/** Draw the held joint as a hollow ring with its limbs: what lies under it stays in sight. */
export function paintHeld(
  context: Canvas,
  held: { view: View; skeleton: Skeleton; pose: Pose | null; joint: number; at: Point; unit: number },
): void {
  const { view, skeleton, pose, joint, unit } = held;
  const at = toScreen(view, held.at);
  const colour = colourOf(pose?.person ?? 0);
  for (const limb of skeleton.limbs) {
    if (!limb.includes(joint)) continue;
    const other = limb[0] === joint ? limb[1] : limb[0];
    const end = pose?.xy[other];
    if (end && pose?.visibility[other] !== ABSENT) paintHeldLimb(context, at, toScreen(view, end), colour, unit);
  }
  circle(context, at, HELD_RADIUS * unit, INK, 4.5 * unit);
  circle(context, at, HELD_RADIUS * unit, colour, 2.5 * unit);
  context.strokeStyle = PAPER;
  context.lineWidth = 1;
  context.beginPath();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
    context.moveTo(at[0] + dx * 6 * unit, at[1] + dy * 6 * unit);
    context.lineTo(at[0] + dx * 11 * unit, at[1] + dy * 11 * unit);
  }
  context.stroke();
}

/** Draw a whole person that is held: its limbs where they would be, what was taken hold of as a ring. */
export function paintHeldBody(
  context: Canvas,
  held: { view: View; skeleton: Skeleton; pose: Pose; joint: number; at: Point; unit: number },
): void {
  const { view, skeleton, pose, joint, at, unit } = held;
  const xy = pose.xy[joint] ?? at;
  const places = pose.xy.map((each) => each && toScreen(view, [each[0] + at[0] - xy[0], each[1] + at[1] - xy[1]]));
  const colour = colourOf(pose.person);
  for (const [a, b] of skeleton.limbs) {
    const [from, to] = [places[a], places[b]];
    if (from && to) paintLine(context, from, to, colour, 1.6 * unit, false);
  }
  places.forEach((place, each) => place && circle(context, place, (each === joint ? HELD_RADIUS : 3) * unit, colour, 2 * unit));
}

/** Draw what a finger hides, beside it and larger. */
export function paintLoupe(
  context: Canvas,
  under: { view: View; picture: ImageBitmap | null; size: Size; at: Point; unit: number },
): void {
  const { view, picture, size, at, unit } = under;
  const radius = 58 * unit;
  const [x, y] = toScreen(view, at);
  const middle: Point = [x, y - 2 * radius < 0 ? y + 1.8 * radius : y - 1.8 * radius];
  const scale = view.scale * 2;
  context.save();
  context.beginPath();
  context.arc(...middle, radius, 0, 2 * Math.PI);
  context.clip();
  paintPicture(context, picture, { scale, x: middle[0] - at[0] * scale, y: middle[1] - at[1] * scale }, size);
  context.restore();
  circle(context, middle, radius, INK, 4 * unit);
  circle(context, middle, radius, PAPER, 2 * unit);
  circle(context, middle, 8 * unit, PAPER, 1.5 * unit);
}

/** Draw a limb from the held joint to another: it begins at the ring, which stays empty. */
function paintHeldLimb(context: Canvas, at: Point, end: Point, colour: string, unit: number): void {
  const length = Math.hypot(end[0] - at[0], end[1] - at[1]);
  const radius = HELD_RADIUS * unit;
  if (length <= radius) return;
  const share = radius / length;
  const from: Point = [at[0] + (end[0] - at[0]) * share, at[1] + (end[1] - at[1]) * share];
  paintLine(context, from, end, colour, 1.6 * unit, false);
}

/** Draw where a joint was and will be on the frames around: small dots, rings where a person or a repair put it. */
export function paintTrail(
  context: Canvas,
  view: View,
  frames: readonly Frame[],
  person: number,
  joint: number,
  unit: number,
): void {
  const places = frames.flatMap((frame) => {
    const pose = frame.poses.find((each) => each.person === person);
    const xy = pose?.xy[joint];
    return pose && xy && pose.visibility[joint] !== ABSENT ? [{ at: toScreen(view, xy), by: pose.provenance[joint] ?? 0 }] : [];
  });
  thread(context, places.map(({ at }) => at), "rgba(255, 255, 255, 0.75)", 1.1 * unit);
  for (const { at, by } of places) dot(context, at, (by >= HUMAN ? 3.4 : 2.2) * unit, by >= PROPAGATED ? GHOST : PAPER);
}

/** Draw what a repair would make of a joint: its new trajectory, with the standard deviation there. */
export function paintGhost(context: Canvas, view: View, ghost: Ghost, frame: number, unit: number): void {
  thread(context, ghost.frames.map(({ xy }) => toScreen(view, xy)), GHOST, 2 * unit, [6 * unit, 4 * unit]);
  for (const each of ghost.frames) {
    const at = toScreen(view, each.xy);
    if (each.frame === frame) circle(context, at, Math.max(each.sigma * view.scale, 4 * unit), GHOST, 1.5 * unit);
    dot(context, at, 2.6 * unit, GHOST);
  }
}

/** Draw candidates as numbered discs, with a thread to the joint that they could replace. */
export function paintCandidates(
  context: Canvas,
  view: View,
  candidates: readonly Candidate[],
  xy: Point | null,
  colour: string,
  unit: number,
): void {
  const taken: Point[] = xy ? [toScreen(view, xy)] : [];
  for (const { key, xy: place } of candidates) {
    const at = toScreen(view, place);
    const [label] = [labelPlace(at, taken, unit)];
    taken.push(label);
    thread(context, [at, label], colour, 1.2 * unit);
    dot(context, at, 2.4 * unit, colour);
    circle(context, label, 8.5 * unit, INK, 2.5 * unit);
    context.fillStyle = "rgba(16, 20, 24, 0.9)";
    context.fill();
    context.fillStyle = PAPER;
    context.font = `700 ${11 * unit}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(String(key), label[0], label[1] + 0.5);
    context.textAlign = "start";
  }
}

/** Return a place beside `at` that is not on those taken: a joint's own place is never covered. */
function labelPlace(at: Point, taken: readonly Point[], unit: number): Point {
  const reach = 22 * unit;
  for (let turn = 0; turn < 16; turn += 1) {
    const angle = -Math.PI / 4 + (turn * Math.PI) / 4;
    const far = reach * (1 + Math.floor(turn / 8));
    const place: Point = [at[0] - Math.cos(angle) * far, at[1] + Math.sin(angle) * far];
    if (taken.every(([x, y]) => Math.hypot(x - place[0], y - place[1]) > 19 * unit)) return place;
  }
  return [at[0] - reach, at[1] - reach];
}

/** Draw what two models say of the same frame, one on each side of a line. */
export function paintCompared(
  context: Canvas,
  drawn: Drawn & { screen: Size; size: Size },
  { before, after }: Compared,
  split: number,
): void {
  const { width, height } = drawn.screen;
  const at = width * split;
  const half = (x: number, wide: number, side: Side | null) => {
    context.save();
    context.beginPath();
    context.rect(x, 0, wide, height);
    context.clip();
    for (const person of side?.people ?? []) paintSide(context, drawn, person);
    context.restore();
  };
  half(0, at, before);
  half(at, width - at, after);
  context.fillStyle = INK;
  context.fillRect(at - 2, 0, 4, height);
  context.fillStyle = PAPER;
  context.fillRect(at - 1, 0, 2, height);
}

function paintSide(context: Canvas, drawn: Drawn, person: Side["people"][number]): void {
  const { view, skeleton, bands, unit } = drawn;
  const colour = colourOf(person.person);
  const sure = (joint: number) => (person.confidence[joint] ?? 0) >= bands.low;
  for (const [a, b] of skeleton.limbs) {
    const [from, to] = [person.xy[a], person.xy[b]];
    if (from && to) paintLine(context, toScreen(view, from), toScreen(view, to), colour, (sure(a) && sure(b) ? 3 : 1.6) * unit, false);
  }
  const pose = { ...person, box: null, visibility: [], provenance: [], versions: [] };
  person.xy.forEach((xy, joint) => {
    if (xy) paintMark(context, markOf(pose, joint, bands as Bands), toScreen(view, xy), colour, VISIBLE, unit);
  });
}

/** Draw the box of a new person while it is drawn. */
export function paintBox(context: Canvas, from: Point, to: Point, unit: number): void {
  const corners: Point[] = [from, [to[0], from[1]], to, [from[0], to[1]], from];
  thread(context, corners, GHOST, 2 * unit, [7 * unit, 4 * unit]);
}

/** Draw where the lifted pose lies in the picture, tied to the joints that it disagrees with. */
export function paintLifted(context: Canvas, view: View, pose: Pose, lifted: Lifted, unit: number): void {
  for (const [a, b] of lifted.limbs) {
    const [from, to] = [lifted.pixel[a], lifted.pixel[b]];
    if (from && to) thread(context, [toScreen(view, from), toScreen(view, to)], "rgba(255, 255, 255, 0.55)", 1.4 * unit, [2 * unit, 4 * unit]);
  }
  for (const { joint, share } of lifted.joints2d) {
    const xy = pose.xy[joint];
    if (xy && share >= DISAGREES) circle(context, toScreen(view, xy), 9 * unit, OFF, 2.4 * unit);
  }
}

function thread(context: Canvas, places: readonly Point[], style: string, width: number, dash: number[] = []): void {
  const [first, ...rest] = places;
  if (!first) return;
  context.beginPath();
  context.moveTo(...first);
  for (const place of rest) context.lineTo(...place);
  context.setLineDash(dash);
  for (const [stroke, wide] of [["rgba(0, 0, 0, 0.6)", width + 1.6], [style, width]] as const) {
    context.strokeStyle = stroke;
    context.lineWidth = wide;
    context.stroke();
  }
  context.setLineDash([]);
}

function dot(context: Canvas, [x, y]: Point, radius: number, style: string): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.lineWidth = 1.4;
  context.strokeStyle = INK;
  context.stroke();
  context.fillStyle = style;
  context.fill();
}

function paintWords(context: Canvas, [x, y]: Point, words: string, unit: number): void {
  context.font = `600 ${12 * unit}px system-ui, sans-serif`;
  const width = context.measureText(words).width + 12;
  context.fillStyle = "rgba(16, 20, 24, 0.86)";
  context.beginPath();
  context.roundRect(x, y - 10 * unit, width, 20 * unit, 5 * unit);
  context.fill();
  context.fillStyle = PAPER;
  context.textBaseline = "middle";
  context.fillText(words, x + 6, y + 0.5);
}
