/** Calibration: start it, watch the ladder grow, look at before and after. */

import { useEffect, useState } from "preact/hooks";
import { api } from "../server/api";
import { compareFrames } from "./compare";
import { Dialog } from "../widgets/dialog";
import type { Editor } from "../editor/editor";
import { Sign, Spark } from "../widgets/icons";
import { worked } from "../editor/models";
import type { Job, LadderStep, Ready } from "../server/types";

export function Calibrate({ editor }: { editor: Editor }) {
  const { job, edition } = editor;
  const [ready, setReady] = useState<Ready | null>(null);
  useEffect(() => {
    void editor.attempt(api.job()).then((found) => found && worked(editor, found));
  }, []);
  useEffect(() => {
    void editor.settled().then(() => editor.attempt(api.ready())).then(setReady);
  }, [edition]);
  const start = async () => {
    await editor.settled();
    const begun = await editor.attempt(api.calibrate(true));
    if (begun) worked(editor, begun);
  };
  const running = job?.state === "running";
  return (
    <Dialog title="Calibrate the model on what you corrected" name="calibration" close={() => editor.open(null)}>
      <p class="soft">
        Trains a ladder of models on your corrections mixed with common poses, keeps the one that serves both, and predicts
        every clip again with it. Your own joints are never changed. It goes on when this page or the server is closed.
      </p>
      {ready ? <Readiness ready={ready} /> : null}
      {job && job.state !== "none" ? <Progress job={job} /> : null}
      {job?.ladder.length ? <Ladder steps={job.ladder} /> : null}
      {job?.loss.length ? (
        <figure class="loss">
          <figcaption>training loss</figcaption>
          <Spark values={job.loss.map(([, loss]) => loss)} label="Training loss over the steps" wide={300} />
        </figure>
      ) : null}
      {job?.chosen ? (
        <p>
          Chosen: step <b>{job.chosen.step}</b>. <span class="soft">{job.chosen.why}</span>
        </p>
      ) : null}
      <p class="foot">
        <button
          onClick={() => {
            editor.open(null);
            void compareFrames(editor);
          }}
        >
          <Sign name="compare" /> Before and after
        </button>
        {running ? (
          <button onClick={() => void editor.attempt(api.cancel()).then((found) => found && worked(editor, found))}>Stop</button>
        ) : (
          <button class="strong" disabled={ready !== null && !ready.ready} onClick={() => void start()}>
            {job && job.state !== "none" ? "Calibrate again" : "Calibrate"}
          </button>
        )}
      </p>
    </Dialog>
  );
}

/** What there is to train on, and what is missing, before anything is started. */
function Readiness({ ready }: { ready: Ready }) {
  const { persons, frames, clips, groups, joints, train, validation, problems, notes } = ready;
  return (
    <div class="readiness" data-ready={ready.ready ? "yes" : "no"}>
      <p>
        <b>{ready.ready ? "Ready" : "Not yet"}</b>: {count(joints, "joint")} of {count(persons, "person")} decided, on {count(frames, "frame")} of{" "}
        {count(clips, "clip")} ({count(groups, "group")})
        {train || validation ? `; ${count(train, "person")} train, ${validation} choose the model` : ""}.
      </p>
      {problems.length || notes.length ? (
        <ul>
          {problems.map((text) => (
            <li key={text} class="bad">
              {text}
            </li>
          ))}
          {notes.map((text) => (
            <li key={text} class="soft">
              {text}
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

const count = (n: number, word: string) => `${n} ${word}${n === 1 ? "" : "s"}`;

function Progress({ job }: { job: Job }) {
  const share = job.total ? job.done / job.total : 0;
  return (
    <div class="progress" data-state={job.state}>
      <p role="status">
        <b>{job.state}</b> {job.phase} {job.state === "running" && job.total ? `${job.done} of ${job.total}` : ""} {job.note || job.message}
      </p>
      {job.state === "running" ? <progress value={share} max={1} aria-label="Share of the calibration that is done" /> : null}
    </div>
  );
}

/** Scores of each step of the ladder: on the person's own motion, and on common poses. */
export function Ladder({ steps }: { steps: readonly LadderStep[] }) {
  const known = steps.flatMap(({ target, common }) => [target, common]).filter((score): score is number => score !== null);
  const [least, most] = [Math.min(...known, 1), Math.max(...known, 0)];
  const pad = Math.max((most - least) * 0.15, 0.01);
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
        <span class="target">● your motion</span> <span class="common">■ common poses</span> PCKh in percent, by training step
      </figcaption>
    </figure>
  );
}
