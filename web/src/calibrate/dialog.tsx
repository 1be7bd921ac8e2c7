/** Calibration: start it, watch the ladder grow, look at before and after. */

import { useEffect, useState } from "preact/hooks";
import type { Editor } from "../editor/editor";
import { jobUpdated } from "../editor/models";
import { api } from "../server/api";
import type { Job, Ready } from "../server/types";
import { Dialog } from "../widgets/dialog";
import { Sign } from "../widgets/icons";
import { Spark } from "../widgets/spark";
import { compareFrames } from "./compare";
import { Ladder, whoseMotion } from "./ladder";

export function Calibrate({ editor }: { editor: Editor }) {
  const { job, edition } = editor;
  const [ready, setReady] = useState<Ready | null>(null);
  useEffect(() => {
    void editor.attempt(api.job()).then((found) => found && jobUpdated(editor, found));
  }, []);
  useEffect(() => {
    void editor.settled().then(() => editor.attempt(api.ready())).then(setReady);
  }, [edition]);
  const start = async () => {
    await editor.settled();
    const begun = await editor.attempt(api.calibrate(true));
    if (begun) jobUpdated(editor, begun);
  };
  const running = job?.state === "running";
  return (
    <Dialog title="Calibrate the model on what you corrected" name="calibration" close={() => editor.open(null)}>
      <p class="soft">
        Trains a ladder of checkpoints on your corrections mixed with common poses, keeps the one that serves both, and predicts
        every clip again with it. Your own joints are never changed. It goes on when this page or the server is closed.
      </p>
      {ready ? <Readiness ready={ready} /> : null}
      {job && job.state !== "none" ? <Progress job={job} /> : null}
      {job?.ladder.length ? <Ladder steps={job.ladder} scoredOn={job.scored_on} whose={whoseMotion(editor.project.clips)} /> : null}
      {job?.loss.length ? (
        <figure class="loss">
          <figcaption>training loss</figcaption>
          <Spark values={job.loss.map(([, loss]) => loss)} label="Training loss over the steps" wide={300} least={0.001} />
        </figure>
      ) : null}
      {job?.chosen ? (
        <p>
          Chosen: step <b>{job.chosen.step}</b>. <span class="soft">{job.chosen.why}</span>
          {job.scored_on === "test" ? <span class="soft"> (the picture shows other scores: those on held-out test clips)</span> : null}
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
          <button onClick={() => void editor.attempt(api.cancel()).then((found) => found && jobUpdated(editor, found))}>Stop</button>
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
