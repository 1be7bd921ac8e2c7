/** Playing the clip at its own pace: the picture, its poses and the 3D panel go together. */

import type { EditorState } from "./state";

/** Milliseconds: who waits longer for a picture goes on without it. */
const PATIENCE = 600;
const LOOK = 8;

/** Return the frame that is due after so many milliseconds: at least the next one, at most the last. */
export function due(from: number, shown: number, last: number, fps: number, milliseconds: number): number {
  const now = from + Math.floor((milliseconds * fps) / 1000);
  return Math.min(Math.max(now, shown + 1), last);
}

export class Playback {
  playing = false;
  /** The frame whose picture is on the screen, and the one whose pose is in the 3D panel. */
  pictured = -1;
  lifted = -1;
  private round = 0;

  constructor(private readonly editor: EditorState) {}

  toggle(): void {
    if (this.playing) this.stop();
    else void this.run();
  }

  stop(): void {
    if (!this.playing) return;
    this.playing = false;
    this.round += 1;
    this.editor.changed();
  }

  /** Go from frame to frame until the end, or until something else is done. Frames that come too late are left out. */
  private async run(): Promise<void> {
    const { editor } = this;
    const { clip } = editor;
    const last = clip.frames - 1;
    this.round += 1;
    const round = this.round;
    this.playing = true;
    if (editor.frame >= last) await editor.go(0);
    const [from, started] = [editor.frame, performance.now()];
    let shown = from;
    while (round === this.round && clip === editor.clip && editor.frame === shown && shown < last) {
      shown = due(from, shown, last, clip.fps, performance.now() - started);
      await pause(started + ((shown - from) * 1000) / clip.fps - performance.now());
      if (round !== this.round) return;
      await editor.go(shown);
      await this.seen(shown);
    }
    if (round === this.round) this.stop();
  }

  private async seen(frame: number): Promise<void> {
    const { editor } = this;
    const until = performance.now() + PATIENCE;
    const ready = () => this.pictured === frame && (!editor.scene || !editor.pose || this.lifted === frame);
    while (!ready() && performance.now() < until && editor.frame === frame) await pause(LOOK);
  }
}

const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, Math.max(milliseconds, 0)));
