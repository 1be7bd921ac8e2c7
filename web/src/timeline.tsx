/** The clip from end to end: where joints are flagged, what is decided, where one is, and where others are. */

import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "./api";
import type { Editor } from "./editor";
import { WHOLE_QUEUE } from "./queue";
import type { Run } from "./types";

const MOST = 200;

export function Timeline({ editor }: { editor: Editor }) {
  const { clip, frame, edition } = editor;
  const runs = useRuns(clip.id, edition);
  const strip = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (strip.current) paintStrip(strip.current, clip.frames, runs);
  }, [runs, clip]);
  const share = (at: number) => `${Math.min((100 * (at + 0.5)) / Math.max(clip.frames, 1), 100)}%`;
  return (
    <footer class="timeline">
      <div class="strip">
        <canvas ref={strip} width={1200} height={18} aria-hidden="true" />
        {editor.people
          .filter((each) => each.page !== editor.tab && each.clip === clip.id && each.frame !== null)
          .map((each) => (
            <i key={each.page} class="other" style={{ left: share(each.frame ?? 0) }} title={each.name} />
          ))}
        <i class="needle" style={{ left: share(frame) }} />
        <input
          type="range"
          min={0}
          max={clip.frames - 1}
          value={frame}
          aria-label="Frame"
          onInput={(event) => void editor.go(Number(event.currentTarget.value))}
        />
      </div>
    </footer>
  );
}

/** The runs of the clip that matter most, asked again a moment after something changed. */
function useRuns(clip: string, edition: number): Run[] {
  const [runs, setRuns] = useState<Run[]>([]);
  useEffect(() => {
    const timer = setTimeout(() => {
      const asked = { ...WHOLE_QUEUE, state: "all" as const, clip: [clip] };
      void api.queue(asked, 0, MOST).then(({ rows }) => setRuns(rows), () => {});
    }, 500);
    return () => clearTimeout(timer);
  }, [clip, edition]);
  return runs;
}

function paintStrip(canvas: HTMLCanvasElement, frames: number, runs: readonly Run[]): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas;
  const style = getComputedStyle(canvas);
  const heat = new Float32Array(width);
  const done = new Float32Array(width);
  for (const run of runs) {
    const [from, to] = [(run.first / frames) * width, ((run.last + 1) / frames) * width];
    const into = run.state === "confirmed" ? done : heat;
    for (let x = Math.floor(from); x < Math.max(to, Math.floor(from) + 2) && x < width; x += 1) into[x] = (into[x] ?? 0) + run.severity;
  }
  context.clearRect(0, 0, width, height);
  const most = Math.max(1, ...heat);
  for (let x = 0; x < width; x += 1) {
    const [open, decided] = [heat[x] ?? 0, done[x] ?? 0];
    if (!open && !decided) continue;
    const tall = open ? 0.3 + 0.7 * (open / most) : 0.3;
    context.fillStyle = style.getPropertyValue(open ? "--heat" : "--good");
    context.fillRect(x, height * (1 - tall), 1, height * tall);
  }
}
