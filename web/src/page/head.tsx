/** The bar at the top: where one is, undo, who else is here, whether all is stored, and what the work brings. */

import { useEffect, useState } from "preact/hooks";
import type { Editor } from "../editor/editor";
import { api } from "../server/api";
import type { Colleague, EffortSoFar } from "../server/types";
import { focusPicture } from "../widgets/focus";
import { Counts, Sign, type SignName } from "../widgets/icons";
import { Spark } from "../widgets/spark";
import { timeWords } from "../widgets/words";

const AHEAD_SECONDS = 300;

export function Head({ editor }: { editor: Editor }) {
  const { now, journal } = editor;
  const { history, waiting } = journal;
  return (
    <header>
      <h1>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <circle cx="13" cy="4" r="2.6" />
          <path d="M13 7l-2 6 5 3M11 13l-5 7M12 9l7 1M12 9L6 8" />
        </svg>
        EMC <small>{editor.project.name}</small>
      </h1>
      <div class="group" role="group" aria-label="Frame">
        <Tool sign="back" words="Previous frame" keys="," act={() => void editor.go(editor.frame - 1)} />
        <output class="frame">
          <b>{editor.frame}</b> <small>/ {editor.clip.frames - 1}</small>
        </output>
        <Tool sign="ahead" words="Next frame" keys="." act={() => void editor.go(editor.frame + 1)} />
        {now ? <Counts lost={now.lost} low={now.low} /> : null}
        {now && now.state !== "open" ? <span class={`state ${now.state}`}>{now.state}</span> : null}
      </div>
      <div class="group">
        <button class="strong" title="Next flagged joint (Tab)" onClick={() => void editor.nextJoint(1).then(focusPicture)}>
          <Sign name="flag" /> Next flagged
        </button>
        <button title="Confirm the frame (C)" aria-label="Confirm frame" onClick={() => editor.corrections.confirm()}>
          <Sign name="check" /> <span class="word">Confirm frame</span>
        </button>
        <Tool sign="undo" words="Undo" keys="Z" off={!history.undo && !waiting} act={() => editor.corrections.takeBack("undo")} />
        <Tool sign="redo" words="Redo" keys="Shift Z" off={!history.redo} act={() => editor.corrections.takeBack("redo")} />
      </div>
      <span class="gap" />
      <Colleagues editor={editor} />
      <Gain editor={editor} />
      <SavingState editor={editor} />
      <div class="group">
        <Calibration editor={editor} />
        <Tool sign="cube" words="3D panel" keys="T" pressed={editor.scene} act={() => editor.toggleScene()} />
        <Tool sign="moon" words="Light or dark" act={otherTheme} />
        <Tool sign="keys" words="Keys" keys="?" act={() => editor.open("help")} />
      </div>
    </header>
  );
}

function Tool(given: { sign: SignName; words: string; keys?: string; off?: boolean; pressed?: boolean; act: () => void }) {
  return (
    <button
      class="tool"
      title={given.keys ? `${given.words} (${given.keys})` : given.words}
      aria-label={given.words}
      aria-pressed={given.pressed}
      disabled={given.off}
      onClick={given.act}
    >
      <Sign name={given.sign} />
    </button>
  );
}

function Calibration({ editor }: { editor: Editor }) {
  const { job } = editor;
  const running = job?.state === "running";
  const share = running && job.total ? Math.round((100 * job.done) / job.total) : null;
  return (
    <button class="calibrate" title="Calibrate the model on what you corrected" aria-label="Calibrate" onClick={() => editor.open("calibrate")}>
      <Sign name="model" /> <span class="word">Calibrate</span>
      {running ? <small>{share === null ? "…" : `${share} %`}</small> : null}
    </button>
  );
}

/** What the work brings: by the server's journal, whoever did it, with what the queue promises for the next minutes. */
function Gain({ editor }: { editor: Editor }) {
  const { effort, edition } = editor;
  const [found, setFound] = useState<EffortSoFar | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => void api.effort().then(setFound, () => {}), 600);
    return () => clearTimeout(timer);
  }, [edition]);
  // The page's own count is there at once; the project's comes with the server's answer.
  const perMinute = found?.per_minute ?? effort.perMinute;
  if (perMinute === null) return null;
  const next = found?.forecast.find(({ seconds }) => seconds === AHEAD_SECONDS);
  const promised = next && next.joints >= 1 ? `; next ${AHEAD_SECONDS / 60} min: about ${Math.round(next.joints)} wrong joints` : "";
  const title = found
    ? `${found.decided} joints decided and ${found.repaired} repaired in ${timeWords(found.seconds)} of work (${found.actions} actions), pauses left out${promised}`
    : "Joints decided or repaired per minute of work, pauses left out (last ten minutes)";
  return (
    <span class="gain" title={title} data-forecast={next ? Math.round(next.joints) : ""}>
      <Spark values={found?.curve ?? effort.curve()} label="Joints per minute over the work so far" wide={48} least={1} />{" "}
      {perMinute.toFixed(perMinute < 10 ? 1 : 0)} joints/min
    </span>
  );
}

function Colleagues({ editor }: { editor: Editor }) {
  const others = editor.people.filter((each) => each.page !== editor.tab);
  return (
    <ul class="colleagues" aria-label="Who is here">
      <li>
        <button class="me" title="Your name" onClick={() => editor.open("name")}>
          {initials(editor.name || "me")}
          <span class="spoken">, your name</span>
        </button>
      </li>
      {others.slice(0, 5).map((each) => (
        <li key={each.page}>
          <button title={whereWords(editor, each)} onClick={() => visit(editor, each)}>
            {initials(each.name || "?")}
            <span class="spoken">{whereWords(editor, each)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Return up to two letters for a name. */
function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? words.slice(0, 2).map((word) => word[0]) : [name.slice(0, 2)];
  return letters.join("").toUpperCase();
}

function whereWords(editor: Editor, { name, clip, frame, joint }: Colleague): string {
  const who = name || "somebody";
  if (!clip || frame === null) return `${who} is here`;
  const at = clip === editor.clip.id ? `frame ${frame}` : `${clip}, frame ${frame}`;
  return joint === null ? `${who} is at ${at}` : `${who} is at ${at}, ${editor.jointName(joint)}`;
}

function visit(editor: Editor, { clip, frame }: Colleague): void {
  const found = editor.clipOf(clip ?? "");
  if (!found || frame === null) return;
  void (found === editor.clip ? editor.go(frame) : editor.openClip(found, frame));
}

function SavingState({ editor }: { editor: Editor }) {
  const { saving, waiting, setAside } = editor.journal;
  const words = {
    saved: "saved",
    saving: "saving …",
    retrying: `not stored (${waiting}): retrying`,
    asking: `waits for your choice (${waiting})`,
    aside: `${setAside.length} not stored`,
  }[saving];
  return (
    <span class={`saving is-${saving}`} role="status" title="Every action is stored at once; what cannot be stored waits in this browser">
      {words}
      {saving === "retrying" ? <button onClick={() => editor.journal.retry()}>now</button> : null}
      {setAside.length ? <button onClick={() => editor.open("aside")}>{saving === "aside" ? "look" : `${setAside.length} set aside`}</button> : null}
    </span>
  );
}

function otherTheme(): void {
  const root = document.documentElement;
  const dark = getComputedStyle(root).getPropertyValue("--dark").trim() === "1";
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("emc.theme", root.dataset.theme);
  } catch {
    // Without storage the choice lasts until the page is left.
  }
}
