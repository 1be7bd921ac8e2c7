/** A little figure that shows which joint is meant. It faces you: its left is on your right. */

const PLACES: Record<string, [number, number]> = {
  nose: [50, 20],
  eye: [54, 16],
  ear: [60, 18],
  shoulder: [66, 40],
  elbow: [76, 62],
  wrist: [82, 84],
  hip: [60, 88],
  knee: [62, 118],
  ankle: [63, 148],
};
const BONES = [
  ["shoulder", "elbow"],
  ["elbow", "wrist"],
  ["shoulder", "hip"],
  ["hip", "knee"],
  ["knee", "ankle"],
] as const;

/** Return where a joint is on the figure, null for one that it does not have. */
function placeOf(name: string): [number, number] | null {
  const [, side, part] = /^(?:(left|right)_)?(.+)$/.exec(name) ?? [];
  const at = PLACES[part ?? ""];
  return at ? (side === "right" ? [100 - at[0], at[1]] : at) : null;
}

export function BodyFigure({ joints, active }: { joints: string[]; active: number }) {
  const at = placeOf(joints[active] ?? "");
  if (!at) return null;
  const line = (a: [number, number], b: [number, number]) => <line x1={a[0]} y1={a[1]} x2={b[0]} y2={b[1]} />;
  const both = (["left_", "right_"] as const).flatMap((side) =>
    BONES.map(([a, b]) => line(placeOf(side + a) as [number, number], placeOf(side + b) as [number, number])),
  );
  return (
    <figure class="bodyfigure">
      <svg viewBox="0 0 100 160" role="img" aria-label={`A figure that faces you, with the ${joints[active]?.replaceAll("_", " ")} marked`}>
        <circle cx="50" cy="20" r="13" class="bone" />
        <g class="bone">
          {both}
          {line([34, 40], [66, 40])}
          {line([40, 88], [60, 88])}
        </g>
        {joints.map((name) => {
          const place = placeOf(name);
          return place ? <circle key={name} cx={place[0]} cy={place[1]} r="2.2" class="dot" /> : null;
        })}
        <circle cx={at[0]} cy={at[1]} r="5.5" class="now" />
      </svg>
      <figcaption>
        The person’s <b>own</b> left and right: who faces you has the left side on your right.
      </figcaption>
    </figure>
  );
}
