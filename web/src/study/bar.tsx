/** The bar above the work: which method, how far, pause and check; and what lies over the work meanwhile. */

import { useEffect, useRef, useState } from "preact/hooks";
import { METHOD_NAMES, Withdraw } from "./pages";
import type { StudySession } from "./session";

export function StudyBar({ session }: { session: StudySession }) {
  const { seat, step } = session;
  const beyond = useBeyond(session);
  if (!seat?.task || !step?.method) return null;
  const [first, last] = session.shownStretch;
  return (
    <div class="studybar" role="region" aria-label="Study" data-clip={seat.task.clip}>
      <b class={`method ${step.method}`}>{METHOD_NAMES[step.method]}</b>
      <span class="soft what">{step.kind === "training" ? "practice, not timed" : `method ${step.period} of 2`}</span>
      <ol class="parts" aria-label={`Part ${seat.stretch + 1} of ${seat.stretches.length}`}>
        {seat.stretches.map((_, at) => (
          <li key={at} class={at < seat.stretch ? "done" : at === seat.stretch ? "now" : ""} />
        ))}
      </ol>
      <span class="goal">
        Frames <b>{first}</b> to <b>{last}</b> of {session.numbered} to {seat.task.frames - 1 + session.numbered}
      </span>
      {beyond ? <span class="beyond">You are beyond frame {last}: check these first</span> : null}
      {session.praise ? <span class="praise" role="status">{session.praise}</span> : null}
      {session.away ? <span class="beyond" role="status">Not stored yet: trying again …</span> : null}
      <span class="gap" />
      {session.fault ? <span class="fault" role="alert">{session.fault}</span> : null}
      <button onClick={() => session.pause()}>Pause</button>
      <button class="strong check" disabled={session.checking} onClick={() => void session.check()}>
        {session.checking ? "Checking …" : `Check frames ${first}–${last}`}
      </button>
    </div>
  );
}

/** Whether the editor shows a frame after this stretch; it goes wherever its queue leads. */
function useBeyond(session: StudySession): boolean {
  const [beyond, setBeyond] = useState(false);
  useEffect(() => {
    const timer = window.setInterval(() => setBeyond((session.editor?.frame ?? 0) > session.stretch[1]), 300);
    return () => clearInterval(timer);
  }, []);
  return beyond;
}

export function Over({ session }: { session: StudySession }) {
  if (session.paused) return <Paused session={session} />;
  return session.checked ? <NotYet session={session} /> : null;
}

/** A dialog that keeps keys from the work below it. */
function Dialog({ label, close, children }: { label: string; close: () => void; children: preact.ComponentChildren }) {
  const root = useRef<HTMLDialogElement>(null);
  useEffect(() => root.current?.showModal(), []);
  return (
    <dialog
      ref={root}
      class="study"
      aria-label={label}
      onKeyDown={(event) => event.stopPropagation()}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      {children}
    </dialog>
  );
}

function Paused({ session }: { session: StudySession }) {
  const back = session.paused === "back";
  const { seat } = session;
  return (
    <Dialog label="Pause" close={() => session.resume()}>
      <h2>{back ? "Welcome back" : "Pause"}</h2>
      <p>
        {back
          ? "Everything is as you left it, and the clock stands still until you go on."
          : "The clock stands still. Take your time; you can also close the page and come back later."}
      </p>
      <p class="soft code">
        Your code: <b>{seat?.code}</b>
      </p>
      <div class="actions">
        <button class="strong big" autofocus onClick={() => session.resume()}>
          Go on
        </button>
        <Withdraw session={session} />
      </div>
    </Dialog>
  );
}

/** The frames are not right yet: on which ones something is wrong, for both methods alike. */
function NotYet({ session }: { session: StudySession }) {
  const { checked, seat } = session;
  if (!checked) return null;
  const frames = Object.entries(checked.wrong).map(([frame, count]) => [Number(frame), count] as const);
  const show = (frame: number) => {
    session.closeChecked();
    if (session.editor) void session.editor.go(frame);
    else document.querySelector<HTMLButtonElement>(`.studystrip button[aria-label^="Frame ${frame + 1}:"]`)?.click();
  };
  return (
    <Dialog label="Not right yet" close={() => session.closeChecked()}>
      <h2>Not quite yet</h2>
      <p>
        <b>{Math.floor(100 * checked.share)} %</b> of the joints are right; {Math.round(100 * session.study.goal)} % are needed.
        {checked.missing ? ` ${checked.missing} have no place yet.` : ""}
      </p>
      <p>Joints to look at again, by frame:</p>
      <div class="wrongs">
        {frames.map(([frame, count]) => (
          <button key={frame} onClick={() => show(frame)} aria-label={`Frame ${frame + session.numbered}: ${count} not right`}>
            <span>{frame + session.numbered}</span>
            <b>{count}</b>
          </button>
        ))}
      </div>
      <div class="actions">
        <button class="strong big" autofocus onClick={() => session.closeChecked()}>
          Look again
        </button>
        {seat?.may_go_on ? (
          <button
            onClick={() => {
              session.closeChecked();
              void session.check(true);
            }}
          >
            Leave these frames as they are
          </button>
        ) : null}
      </div>
    </Dialog>
  );
}
