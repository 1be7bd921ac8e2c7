/** Sparkline: a line without axes. */

/** Draw values as a line (null: a gap); `marks` are dots on it. */
export function Spark({
  values,
  label,
  marks = [],
  chosen = null,
  wide = 100,
}: {
  values: readonly (number | null)[];
  label: string;
  marks?: readonly { at: number; kind: string }[];
  chosen?: number | null;
  wide?: number;
}) {
  const known = values.filter((value): value is number => value !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const x = (i: number) => (values.length < 2 ? wide / 2 : (i / (values.length - 1)) * wide);
  const y = (value: number) => (most > least ? 22 - ((value - least) / (most - least)) * 20 : 12);
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
