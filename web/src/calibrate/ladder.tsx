/** The ladder of checkpoints as a diagram: the score of each step on the target, and on common poses. */

import type { Clip, Job, LadderStep } from "../server/types";
import { spanOf } from "../widgets/span";

/** Shares: no less than two points are drawn, or the last digit of equal scores would fill the picture. */
const LEAST_SPAN = 0.02;

/** Return whose motion the target clips show: "your motion" only where none of it is rendered. */
export function whoseMotion(clips: readonly Pick<Clip, "role" | "rendered">[]): string {
  const targets = clips.filter(({ role }) => role === "target");
  const rendered = targets.filter((clip) => clip.rendered).length;
  if (rendered === 0) return "your motion";
  return rendered === targets.length ? "rendered people" : `your motion, ${rendered} of ${targets.length} clips rendered`;
}

const PLACES: Record<Job["scored_on"], string> = { validation: "validation persons, who choose", test: "held-out test clips" };

export function Ladder({ steps, scoredOn, whose }: { steps: readonly LadderStep[]; scoredOn: Job["scored_on"]; whose: string }) {
  const known = steps.flatMap(({ target, common }) => [target, common]).filter((score): score is number => score !== null);
  if (!known.length) return <p class="soft">No score: there are too few labelled joints for one.</p>;
  const [least, most] = spanOf(known, LEAST_SPAN, [0, 1]);
  const pad = (most - least) * 0.15;
  const x = (i: number) => 62 + (steps.length < 2 ? 200 : (i / (steps.length - 1)) * 408);
  const y = (score: number) => 120 - ((score - least + pad) / (most - least + 2 * pad)) * 105;
  const line = (pick: (step: LadderStep) => number | null) =>
    steps.flatMap((step, i) => (pick(step) === null ? [] : [`${x(i)},${y(pick(step) as number)}`])).join(" ");
  const percent = (score: number | null) => (score === null ? "–" : `${(100 * score).toFixed(1)}`);
  return (
    <figure class="ladder">
      <svg viewBox="0 0 490 150" role="img" aria-label="PCKh of each step of the ladder">
        {[least, most].map((score) => (
          <text key={score} x={40} y={y(score) + 4} text-anchor="end">
            {percent(score)}
          </text>
        ))}
        {steps.map((step, i) => (
          <g key={step.step} class={step.chosen ? "chosen" : ""}>
            {step.chosen ? <rect x={x(i) - 12} y={6} width={24} height={122} rx={6} /> : null}
            <text x={x(i)} y={145} text-anchor="middle">
              {step.step}
            </text>
          </g>
        ))}
        <polyline class="target" points={line((step) => step.target)} />
        <polyline class="common" points={line((step) => step.common)} />
        {steps.map((step, i) => (
          <g key={step.step}>
            {step.target === null ? null : <circle class="target" cx={x(i)} cy={y(step.target)} r={4} />}
            {step.common === null ? null : <rect class="common" x={x(i) - 3.5} y={y(step.common) - 3.5} width={7} height={7} />}
          </g>
        ))}
      </svg>
      <figcaption>
        <span class="target">● {whose}</span> <span class="common">■ common poses</span> PCKh in percent on {PLACES[scoredOn]}, by training step
      </figcaption>
    </figure>
  );
}
