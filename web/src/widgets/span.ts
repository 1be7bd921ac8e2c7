/** The range of values that a picture shows. */

/** Return the least and the largest value, at least `least` apart: closer ones are drawn as what they are, nearly equal. */
export function spanOf(values: readonly number[], least: number, within: readonly [number, number] = [-Infinity, Infinity]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (high - low >= least) return [low, high];
  const middle = Math.min(Math.max((low + high) / 2, within[0] + least / 2), within[1] - least / 2);
  return [middle - least / 2, middle + least / 2];
}
