/** What the two canvases of the picture show: frame and skeletons below, what is active or held above. */

import type { Editor } from "../editor/editor";
import { extent } from "../pose/frame";
import type { Size } from "../pose/margin";
import { paintActive, paintBox, paintCandidates, paintCompared, paintGhost, paintHeld, paintHeldBody, paintLifted, paintLoupe, paintTrail } from "./overlay";
import { paintPeople, paintPicture, unitOf } from "./paint";
import { colourOf } from "./palette";
import type { HeldBox, HeldJoint } from "./pointer";
import { toleranceOf, toScreen, type View } from "./view";

const TRAIL = 6;

export interface Sight {
  editor: Editor;
  view: View;
  screen: Size;
  picture: ImageBitmap | null;
  /** The picture is another frame's: the new one is on its way. */
  other: boolean;
  held: HeldJoint | null;
  box: HeldBox | null;
}

export function drawBase(context: CanvasRenderingContext2D, sight: Sight): void {
  const { editor, view, screen, picture, other, held } = sight;
  const { skeleton, project: bands, person, now: frame, clip } = editor;
  paintPicture(context, picture, view, clip);
  if (!frame || editor.hidden || other) return;
  const unit = unitOf(screen);
  if (editor.compared) {
    const { sides, split } = editor.compared;
    return paintCompared(context, { view, skeleton, bands, unit, screen, size: clip }, sides, split);
  }
  paintPeople(context, { view, frame, held, skeleton, bands, person, unit });
}

export function drawOver(context: CanvasRenderingContext2D, sight: Sight): void {
  const { editor, view, held, box } = sight;
  if (editor.compared) return;
  const unit = unitOf(sight.screen);
  if (held) return drawHeld(context, sight, held, unit);
  if (box) return paintBox(context, toScreen(view, box.corner), toScreen(view, box.at), unit);
  const { pose, joint } = editor;
  if (!pose || editor.hidden) return;
  if (editor.lifted) paintLifted(context, view, pose, editor.lifted, unit);
  if (joint === null) return;
  const colour = colourOf(pose.person);
  paintTrail(context, view, editor.frames.range(editor.frame - TRAIL, editor.frame + TRAIL), pose.person, joint, unit);
  const ghost = editor.repairs.ghost;
  if (ghost) paintGhost(context, view, ghost, editor.frame, unit);
  paintCandidates(context, view, editor.candidates, pose.xy[joint] ?? null, colour, unit);
  const xy = pose.xy[joint];
  const reach = editor.armed ? toleranceOf(extent(pose)) * view.scale : 0;
  if (xy) paintActive(context, toScreen(view, xy), editor.jointName(joint), { armed: editor.armed, reach, unit });
}

function drawHeld(context: CanvasRenderingContext2D, sight: Sight, held: HeldJoint, unit: number): void {
  const { editor, view, picture } = sight;
  const { skeleton } = editor;
  const pose = editor.poseOf(held.person);
  if (held.whole && pose) return paintHeldBody(context, { view, skeleton, pose, joint: held.joint, at: held.at, unit });
  paintHeld(context, { view, skeleton, pose, joint: held.joint, at: held.at, unit });
  if (held.touch) paintLoupe(context, { view, picture, size: editor.clip, at: held.at, unit });
}
