/** What participants read and answer: welcome, consent, what comes next, ratings, and thanks. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { type Method, studyApi } from "./api";
import type { StudySession } from "./session";

export const METHOD_NAMES: Record<Method, string> = { classic: "By hand", editor: "With the editor" };

export function Card({ title, children, wide = false }: { title: string; children: ComponentChildren; wide?: boolean }) {
  return (
    <div class="card-page">
      <section class={`card ${wide ? "wide" : ""}`} aria-labelledby="card-title">
        <h2 id="card-title">{title}</h2>
        {children}
      </section>
    </div>
  );
}

export function Fault({ session }: { session: StudySession }) {
  return session.fault ? (
    <p class="fault" role="alert">
      {session.fault}
    </p>
  ) : null;
}

export function Welcome({ session }: { session: StudySession }) {
  const [code, setCode] = useState("");
  const resume = (event: Event) => {
    event.preventDefault();
    void session.go(() => studyApi.resume(code));
  };
  return (
    <Card title="Welcome">
      <p class="lead">
        You are invited to take part in the study <b>{session.study.name}</b>: correcting where the joints of a person are,
        in two ways.
      </p>
      <p>You need a computer with a mouse or a touch pad, and some quiet time. Nothing is installed.</p>
      <div class="actions">
        <button class="strong big" onClick={() => void session.go(() => studyApi.join(session.simulated))}>
          Take part
        </button>
      </div>
      <form class="return" onSubmit={resume}>
        <label>
          You have been here before? Your code
          <input value={code} placeholder="P07-K3MZ2T9A" autoComplete="off" onInput={(event) => setCode(event.currentTarget.value)} />
        </label>
        <button disabled={code.trim().length < 5}>Go on</button>
      </form>
      <Fault session={session} />
    </Card>
  );
}

export function Consent({ session }: { session: StudySession }) {
  const [agreed, setAgreed] = useState(false);
  return (
    <Card title="Before you begin" wide>
      <div class="consent">
        {session.study.consent.split(/\n\s*\n/).map((text, at) => {
          const [, head, rest] = /^([^.?!]{3,60}\.)\s([\s\S]+)$/.exec(text) ?? [];
          return <p key={at}>{head ? <><b>{head}</b> {rest}</> : text}</p>;
        })}
      </div>
      <label class="tick">
        <input type="checkbox" checked={agreed} onChange={(event) => setAgreed(event.currentTarget.checked)} />
        <span>I have read this, and I agree to take part.</span>
      </label>
      <div class="actions">
        <button class="strong big" disabled={!agreed} onClick={() => void session.go(studyApi.consent)}>
          Continue
        </button>
        <CodeNote session={session} />
      </div>
      <Fault session={session} />
    </Card>
  );
}

function CodeNote({ session }: { session: StudySession }) {
  return (
    <p class="soft code">
      Your anonymous code is <b>{session.seat?.code}</b>. Write it down: with it you can go on in another browser.
    </p>
  );
}

const HOW: Record<Method, ComponentChildren> = {
  classic: (
    <ol>
      <li>The page names a joint. <b>Click where it is</b> in the picture; the next joint comes by itself.</li>
      <li>Instead of clicking you can <b>type</b> x and y in the list on the right.</li>
      <li>You can <b>drag</b> a joint that is not right. Zoom with the mouse wheel; <kbd>Z</kbd> takes back.</li>
      <li>A joint that is hidden: place it where it must be, or press <kbd>H</kbd> (not visible).</li>
      <li><kbd>D</kbd> or the strip below the picture goes to the next frame.</li>
    </ol>
  ),
  editor: (
    <ol>
      <li>A computer has placed the joints already; <b>some are wrong</b>. You only correct those.</li>
      <li><kbd>Tab</kbd> brings the next doubtful joint to your pointer: <b>click where it belongs</b>. The frames around are repaired with it.</li>
      <li><b>Drag</b> any joint that is wrong; <kbd>1</kbd> to <kbd>4</kbd> take one of the suggested places.</li>
      <li><kbd>E</kbd> shows one joint on many frames side by side; <kbd>S</kbd> swaps left and right; <kbd>Z</kbd> takes back.</li>
      <li><kbd>A</kbd> and <kbd>D</kbd> go from frame to frame, <kbd>?</kbd> shows all keys.</li>
    </ol>
  ),
};

/** What comes next, before the clock starts. */
export function Intro({ session }: { session: StudySession }) {
  const { step, seat, study } = session;
  if (!step?.method || !seat?.task) return null;
  const training = step.kind === "training";
  const title = training ? `Practice: ${METHOD_NAMES[step.method].toLowerCase()}` : `Now for real: ${METHOD_NAMES[step.method].toLowerCase()}`;
  return (
    <Card title={title} wide>
      <p class="lead">
        {training
          ? `Method ${step.period} of 2. Get to know it on ${seat.task.frames === 1 ? "one frame" : `${seat.task.frames} frames`}; this is not timed.`
          : `${seat.task.frames} frames of another clip. Time counts from now on, but right joints count as much: work as you would at work.`}
      </p>
      {training ? HOW[step.method] : null}
      <ul class="rules">
        <li>
          Work in order, <b>{study.every} frames at a time</b>. Press <b>Check</b> when they are right: at least {Math.round(100 * study.goal)}{"\u00a0"}% of the
          joints must be, then the next ones come.
        </li>
        <li>
          Need a break? Press <b>Pause</b>: the clock stops. It also stops when you do nothing for {study.idle} seconds.
        </li>
        <li>All is stored at once. If something breaks, open the same address again.</li>
      </ul>
      <div class="actions">
        <button class="strong big" onClick={() => void session.begin()}>
          {training ? "Start practising" : "Start"}
        </button>
        <CodeNote session={session} />
      </div>
      <Fault session={session} />
    </Card>
  );
}

const SCALES: [string, string, string, string, string][] = [
  ["mental", "Mental demand", "How much thinking, deciding and searching did it take?", "very little", "very much"],
  ["physical", "Physical demand", "How much pointing, clicking and typing did it take?", "very little", "very much"],
  ["temporal", "Time pressure", "How hurried did you feel?", "not at all", "very"],
  ["performance", "Performance", "How well did you do what was asked?", "perfectly", "failed"],
  ["effort", "Effort", "How hard did you have to work for it?", "very little", "very hard"],
  ["frustration", "Frustration", "How annoyed, discouraged or stressed were you?", "not at all", "very"],
];
const GRADES = Array.from({ length: 21 }, (_, grade) => 5 * grade);

/** Raw NASA-TLX of the method just used. */
export function Ratings({ session }: { session: StudySession }) {
  const [given, setGiven] = useState<Record<string, number>>({});
  const { seat, step } = session;
  if (!seat || !step?.method) return null;
  const left = SCALES.filter(([name]) => given[name] === undefined).length;
  return (
    <Card title={`How was it ${METHOD_NAMES[step.method].toLowerCase()}?`} wide>
      <p class="lead">Six questions about the clip that you have just finished. Click on each line where it fits best.</p>
      {SCALES.map(([name, title, question, low, high]) => (
        <fieldset class="scale" key={name} data-scale={name}>
          <legend>
            <b>{title}</b> {question}
          </legend>
          <div class="grades">
            {GRADES.map((grade) => (
              <label key={grade} title={String(grade)}>
                <input type="radio" name={name} value={grade} checked={given[name] === grade} onChange={() => setGiven({ ...given, [name]: grade })} />
                <span class="spoken">{grade} of 100</span>
              </label>
            ))}
          </div>
          <div class="ends" aria-hidden="true">
            <span>{low}</span>
            <span>{high}</span>
          </div>
        </fieldset>
      ))}
      <div class="actions">
        <button class="strong big" disabled={left > 0} onClick={() => void session.go(() => studyApi.ratings(seat.step, given))}>
          Continue
        </button>
        {left ? <span class="soft">{left === 6 ? "" : `${left} to go`}</span> : null}
      </div>
      <Fault session={session} />
    </Card>
  );
}

export function Comment({ session }: { session: StudySession }) {
  const [text, setText] = useState("");
  return (
    <Card title="One last thing">
      <label class="lead" for="comment">
        Would you like to tell us something? What helped, what was in the way? (You may leave it empty.)
      </label>
      <textarea id="comment" rows={5} maxLength={4000} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      <div class="actions">
        <button class="strong big" onClick={() => void session.go(() => studyApi.comment(text))}>
          Finish
        </button>
      </div>
      <Fault session={session} />
    </Card>
  );
}

export function Thanks({ session }: { session: StudySession }) {
  return (
    <Card title="Thank you!">
      <p class="lead">All is stored. You can close this page.</p>
      <p class="soft">
        Your anonymous code: <b>{session.seat?.code}</b>. If you want your records deleted later, tell it to who invited you, or
        withdraw here.
      </p>
      <Withdraw session={session} />
    </Card>
  );
}

export function Gone() {
  return (
    <Card title="You have withdrawn">
      <p class="lead">All that was recorded of you has been deleted. You can close this page.</p>
    </Card>
  );
}

/** Deletes the records, after being asked twice. */
export function Withdraw({ session }: { session: StudySession }) {
  const [sure, setSure] = useState(false);
  if (!sure) {
    return (
      <button class="quiet" onClick={() => setSure(true)}>
        Withdraw from the study …
      </button>
    );
  }
  return (
    <div class="sure" role="group" aria-label="Withdraw">
      <span>Delete everything recorded of you? This cannot be undone.</span>
      <button class="danger" onClick={() => void session.withdraw()}>
        Delete and leave
      </button>
      <button onClick={() => setSure(false)}>Stay</button>
    </div>
  );
}
