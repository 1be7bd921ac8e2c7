/** Sparkline: a line without axes. */

import { spanOf } from "./span";

/** Draw values as a line (null: a gap); `marks` are dots on it; `least` is the smallest range that fills the height. */
export function Spark({
  values,
  label,
  marks = [],
  chosen = null,
  wide = 100,
  least,
}: {
  values: readonly (number | null)[];
  label: string;
  marks?: readonly { at: number; kind: string }[];
  chosen?: number | null;
  wide?: number;
  least: number;
}) {
  const known = values.filter((value): value is number => value !== null);
  const [low, high] = spanOf(known, least);
  const x = (i: number) => (values.length < 2 ? wide / 2 : (i / (values.length - 1)) * wide);
  const y = (value: number) => 22 - ((value - low) / (high - low)) * 20;
  const path = values.map((value, i) => {
    if (value === null) return "";
    return `${i === 0 || values[i - 1] === null ? "M" : "L"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  return (
    <svg class="spark" viewBox={`-2 0 ${wide + 4} 24`} preserveAspectRatio="none" role="img" aria-label={label}>
      {chosen === null ? null : <line class="here" x1={x(chosen)} x2={x(chosen)} y1={0} y2={24} />}
      <path d={path.join("")} />
      {marks.map(({ at, kind }) => {
        const value = values[at];
        return value === null || value === undefined ? null : <path key={at} class={`point ${kind}`} d={`M${x(at)} ${y(value)}h0`} />;
      })}
    </svg>
  );
}
