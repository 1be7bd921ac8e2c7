/** One joint angle of the chosen person over the frames around: now, and before where that is shown. */

import { useState } from "preact/hooks";
import type { Lifted } from "../server/types";
import { pathOf } from "../space/curve";
import { angleAt, boundsOf, spanOf, spread } from "./angles";

const SIZE = { width: 260, height: 64 };

export function AngleCurve({ lifted, frame, go }: { lifted: Lifted; frame: number; go: (frame: number) => void }) {
  const [name, setName] = useState("left_knee");
  const { angles, earlier } = lifted;
  const span = spanOf(earlier ? [angles, earlier.angles] : [angles]);
  const now = spread(angles, name, span);
  const before = earlier ? spread(earlier.angles, name, span) : [];
  const bounds = boundsOf([...now, ...before]);
  const length = span[1] - span[0];
  const x = length ? ((frame - span[0]) / length) * SIZE.width : 0;
  const words = [angleAt(angles, name, frame), earlier ? angleAt(earlier.angles, name, frame) : null];
  const seek = (event: PointerEvent & { currentTarget: SVGSVGElement }) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    go(span[0] + Math.round(share * length));
  };
  return (
    <div class="angle">
      <label>
        <span class="spoken">Joint angle</span>
        <select value={name} onChange={(event) => setName(event.currentTarget.value)}>
          {Object.keys(angles.degrees).map((each) => (
            <option key={each} value={each}>
              {each.replaceAll("_", " ")}
            </option>
          ))}
        </select>
      </label>
      <output data-angle={words[0] ?? ""}>
        {words[0] === null ? "–" : `${words[0]?.toFixed(0)}°`}
        {words[1] === null ? null : <small> before {words[1]?.toFixed(0)}°</small>}
      </output>
      <svg viewBox={`0 0 ${SIZE.width} ${SIZE.height}`} preserveAspectRatio="none" role="img" onPointerDown={seek}
        aria-label={`${name.replaceAll("_", " ")} from ${bounds[0]} to ${bounds[1]} degrees, frames ${span[0]} to ${span[1]}`}>
        <line class="cursor" x1={x} x2={x} y1={0} y2={SIZE.height} />
        {earlier ? <path class="earlier" d={pathOf(before, SIZE, bounds)} /> : null}
        <path class="now" d={pathOf(now, SIZE, bounds)} />
      </svg>
    </div>
  );
}
