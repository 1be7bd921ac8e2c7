/** The curve of values over frames, as an SVG path. */

/** Return an SVG path through values (null: a gap), in a box of this size, between these bounds. */
export function pathOf(values: readonly (number | null)[], size: { width: number; height: number }, bounds: [number, number]): string {
  const [least, most] = bounds;
  const x = (i: number) => (values.length < 2 ? 0 : (i / (values.length - 1)) * size.width);
  const y = (value: number) => size.height - ((value - least) / Math.max(most - least, 1e-6)) * size.height;
  return values
    .map((value, i) => (value === null ? "" : `${i === 0 || values[i - 1] === null ? "M" : "L"}${x(i).toFixed(1)},${y(value).toFixed(1)}`))
    .join("");
}
