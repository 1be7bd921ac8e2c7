/** The clip from end to end: where joints are flagged, what is decided, where one is, and where others are. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Editor } from "../editor/editor";
import { api } from "../server/api";
import type { Density } from "../server/types";

const WIDE = 1200;

export function Timeline({ editor }: { editor: Editor }) {
  const { clip, frame, edition } = editor;
  const density = useDensity(clip.id, edition);
  const strip = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!strip.current || !density) return;
    paintStrip(strip.current, density);
    strip.current.dataset.marked = String(density.open.filter(Boolean).length);
  }, [density]);
  const share = (at: number) => `${Math.min((100 * (at + 0.5)) / Math.max(clip.frames, 1), 100)}%`;
  return (
    <footer class="timeline">
      <div class="strip">
        <canvas ref={strip} width={WIDE} height={18} aria-hidden="true" />
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

/** What all runs of the clip come to, bin by bin, asked again a moment after something changed. */
function useDensity(clip: string, edition: number): Density | null {
  const [density, setDensity] = useState<Density | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => void api.density(clip, WIDE).then(setDensity, () => {}), 400);
    return () => clearTimeout(timer);
  }, [clip, edition]);
  return density;
}

function paintStrip(canvas: HTMLCanvasElement, { open, confirmed }: Density): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { width, height } = canvas;
  const style = getComputedStyle(canvas);
  const [heat, good] = [style.getPropertyValue("--heat"), style.getPropertyValue("--good")];
  context.clearRect(0, 0, width, height);
  const most = Math.max(1, ...open);
  for (let x = 0; x < width; x += 1) {
    const [wrong, decided] = [open[x] ?? 0, confirmed[x] ?? 0];
    if (!wrong && !decided) continue;
    const tall = wrong ? 0.3 + 0.7 * (wrong / most) : 0.3;
    context.fillStyle = wrong ? heat : good;
    context.fillRect(x, height * (1 - tall), 1, height * tall);
  }
}
