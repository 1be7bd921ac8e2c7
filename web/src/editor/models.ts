/** News of models: a calibration that goes on, and predictions that a new model made. */

import { api } from "../server/api";
import type { Job } from "../server/types";
import type { Editor } from "./editor";

/** A calibration went on: show how far, and say when it has ended. */
export function jobUpdated(editor: Editor, job: Job): void {
  const before = editor.job?.state;
  editor.job = job;
  if (before === "running" && job.state === "done") editor.say("calibration is done: K shows before and after");
  if (before === "running" && job.state === "failed") editor.say(job.message || "calibration failed", true);
  editor.changed();
}

/** New predictions are current: everything is read again. */
export async function predictionsUpdated(editor: Editor): Promise<void> {
  const fresh = await editor.attempt(api.project());
  if (!fresh) return;
  Object.assign(editor.project, fresh);
  editor.clip = editor.clipOf(editor.clip.id) ?? editor.clip;
  editor.frames.forgetAll();
  editor.edition += 1;
  editor.guide.outdate();
  // The persons of another run may be others: nothing that was chosen waits for a click.
  await editor.go(editor.frame);
}
