/** The whole page. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Editor } from "./editor";
import { type Action, actionOf, onlyOnPicture, SHEET } from "./keys";
import { Counts, focusPicture, Joints, Legend, Lists } from "./panels";
import { Stage } from "./stage";

export function Page({ editor }: { editor: Editor }) {
  const [, redraw] = useState(0);
  const picture = useRef<HTMLDivElement>(null);
  const stage = useRef<Stage | null>(null);

  useEffect(() => {
    if (!picture.current) return;
    const made = new Stage(picture.current, editor);
    stage.current = made;
    let due = false;
    editor.changed = () => {
      if (due) return;
      due = true;
      requestAnimationFrame(() => {
        due = false;
        redraw((count) => count + 1);
        made.draw();
      });
    };
    editor.moved = (why) => made.follow(why);
    const onKey = (event: KeyboardEvent) => pressed(editor, made, event);
    const onLeave = (event: BeforeUnloadEvent) => {
      if (editor.waiting) event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    window.addEventListener("beforeunload", onLeave);
    window.addEventListener("online", () => editor.retry());
    focusPicture();
    void editor.start();
    return () => {
      window.removeEventListener("keydown", onKey);
      window.removeEventListener("beforeunload", onLeave);
    };
  }, []);

  return (
    <>
      <Head editor={editor} />
      <main>
        <Lists editor={editor} />
        <section class="centre" aria-label="Picture">
          <div
            id="picture"
            ref={picture}
            tabIndex={0}
            role="application"
            aria-label={`Frame ${editor.frame} of ${editor.clip.id}. Tab goes to the next flagged joint, arrow keys move it, question mark shows all keys, Escape leaves the picture.`}
          />
          <Note editor={editor} />
          <Foot editor={editor} />
        </section>
        <Joints editor={editor} />
      </main>
      <p class="spoken" aria-live="polite" role="status">
        {editor.spoken}
      </p>
      {editor.help ? <Sheet editor={editor} /> : null}
    </>
  );
}

function Head({ editor }: { editor: Editor }) {
  const { now, history } = editor;
  return (
    <header>
      <h1>
        EMC <small>{editor.project.name}</small>
      </h1>
      <div class="group" role="group" aria-label="Frame">
        <button title="Previous frame (,)" aria-label="Previous frame" onClick={() => void editor.go(editor.frame - 1)}>
          ‹
        </button>
        <output class="frame">
          frame <b>{editor.frame}</b> / {editor.clip.frames - 1}
        </output>
        <button title="Next frame (.)" aria-label="Next frame" onClick={() => void editor.go(editor.frame + 1)}>
          ›
        </button>
        {now ? <Counts lost={now.lost} low={now.low} /> : null}
        {now && now.state !== "open" ? <span class={`state ${now.state}`}>{now.state}</span> : null}
      </div>
      <div class="group">
        <button class="strong" title="Next flagged joint (Tab)" onClick={() => void editor.nextJoint(1).then(focusPicture)}>
          Next flagged
        </button>
        <button title="Confirm the frame (C)" onClick={() => editor.confirm()}>
          Confirm frame
        </button>
      </div>
      <div class="group">
        <button title="Undo (Z)" disabled={!history.undo && !editor.waiting} onClick={() => editor.undo()}>
          Undo
        </button>
        <button title="Redo (Shift Z)" disabled={!history.redo} onClick={() => editor.undo("redo")}>
          Redo
        </button>
      </div>
      <span class="gap" />
      <SavingState editor={editor} />
      <button title="Light or dark" aria-label="Light or dark" onClick={otherTheme}>
        ◐
      </button>
      <button
        title="Keys (?)"
        aria-label="Keys"
        onClick={() => {
          editor.help = true;
          editor.changed();
        }}
      >
        ?
      </button>
    </header>
  );
}

function SavingState({ editor }: { editor: Editor }) {
  const { saving, waiting } = editor;
  const words =
    saving === "saved" ? "saved" : saving === "saving" ? "saving …" : `not stored (${waiting}): retrying`;
  return (
    <span class={`saving is-${saving}`} role="status" title="Every action is stored at once; what cannot be stored waits in this browser">
      {words}
      {saving === "retrying" ? <button onClick={() => editor.retry()}>now</button> : null}
    </span>
  );
}

function Note({ editor }: { editor: Editor }) {
  const { note } = editor;
  return note.text ? <p class={`note ${note.bad ? "bad" : ""}`}>{note.text}</p> : null;
}

function Foot({ editor }: { editor: Editor }) {
  return (
    <footer>
      <input
        type="range"
        min={0}
        max={editor.clip.frames - 1}
        value={editor.frame}
        aria-label="Frame"
        onInput={(event) => void editor.go(Number(event.currentTarget.value))}
      />
      <Legend />
    </footer>
  );
}

function Sheet({ editor }: { editor: Editor }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => {
    editor.help = false;
    editor.changed();
  };
  return (
    <dialog ref={dialog} aria-label="Keys" onClose={close} onClick={(event) => event.target === dialog.current && close()}>
      <div class="sheet">
        {SHEET.map(({ title, rows }) => (
          <section key={title}>
            <h2>{title}</h2>
            <dl>
              {rows.map(([keys, words]) => (
                <div key={keys.join()}>
                  <dt>
                    {keys.map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{words}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <button class="close" onClick={close}>
        Close
      </button>
    </dialog>
  );
}

function pressed(editor: Editor, stage: Stage, event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (editor.help) return;
  const action = actionOf(event);
  if (!action) return;
  const onPicture = target === stage.root || target === document.body;
  const typing = target.matches("input, select, textarea");
  if (!onPicture && (typing || onlyOnPicture(action, event.key))) return;
  event.preventDefault();
  editor.seen();
  act(editor, stage, action);
}

function act(editor: Editor, stage: Stage, action: Action): void {
  switch (action.do) {
    case "nudge":
      return editor.nudgeBy(action.dx, action.dy);
    case "flag":
      return void editor.nextJoint(action.step);
    case "frame":
      return void editor.go(editor.frame + action.step);
    case "zoom":
      return stage.zoom(action.factor);
    case "visibility":
      return editor.cycleVisibility();
    case "swap":
      return editor.swap();
    case "confirm":
      return editor.confirm();
    case "confirmNext":
      return void editor.confirmAndGo();
    case "undo":
    case "redo":
      return editor.undo(action.do);
    case "fit":
    case "fitFrame":
      return stage.follow(action.do);
    case "person":
      return editor.nextPerson();
    default:
      return actOnPage(editor, action.do);
  }
}

function actOnPage(editor: Editor, what: "arm" | "hide" | "list" | "help" | "escape"): void {
  if (what === "arm" && editor.person !== null && editor.joint !== null) {
    return editor.select(editor.person, editor.joint, true);
  }
  if (what === "hide") editor.hidden = !editor.hidden;
  if (what === "list") editor.list = editor.list === "joints" ? "frames" : "joints";
  if (what === "help") editor.help = true;
  if (what === "escape" && !editor.disarm()) {
    document.querySelector<HTMLElement>(".lists [role=tab][aria-selected=true]")?.focus();
  }
  editor.changed();
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
