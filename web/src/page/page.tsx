/** The whole page. */

import { useEffect, useRef, useState } from "preact/hooks";
import { Comparison, readCompared } from "../calibrate/compare";
import { Calibrate } from "../calibrate/dialog";
import { Stage } from "../canvas/stage";
import type { Editor } from "../editor/editor";
import { Live } from "../editor/live";
import { JointBar } from "../joints/bar";
import { Joints } from "../joints/panel";
import { People } from "../people/panel";
import { Lists } from "../queue/panel";
import { ContactSheet } from "../sheet/contact";
import { focusPicture } from "../widgets/focus";
import { Conflicts } from "./conflicts";
import { Head } from "./head";
import { pressed, released } from "./keyboard";
import { KeySheet } from "./keysheet";
import { SetAside } from "./setaside";
import { Timeline } from "./timeline";
import { WhoAmI } from "./whoami";

export function Page({ editor }: { editor: Editor }) {
  const [, redraw] = useState(0);
  const picture = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!picture.current) return;
    return started(editor, picture.current, () => redraw((count) => count + 1));
  }, []);
  useEffect(() => {
    if (editor.compared) void readCompared(editor, editor.compared.split);
  }, [editor.frame, editor.clip]);

  return (
    <>
      <Head editor={editor} />
      <main>
        <Lists editor={editor} />
        <section class="centre" aria-label="Picture">
          <JointBar editor={editor} />
          <div class="stage">
            <div
              id="picture"
              ref={picture}
              tabIndex={0}
              role="application"
              aria-label={`Frame ${editor.frame} of ${editor.clip.id}. Tab goes to the next flagged joint, arrow keys move it, question mark shows all keys, Escape leaves the picture.`}
            />
            <Comparison editor={editor} />
            <Note editor={editor} />
          </div>
          <Timeline editor={editor} />
        </section>
        <Joints editor={editor} />
      </main>
      <p class="spoken" aria-live="polite" role="status">
        {editor.spoken}
      </p>
      {editor.panel === "help" ? <KeySheet editor={editor} /> : null}
      {editor.panel === "sheet" ? <ContactSheet editor={editor} /> : null}
      {editor.panel === "trajectory" ? <ContactSheet key={`${editor.frame}/${editor.joint}`} editor={editor} trajectory /> : null}
      {editor.panel === "calibrate" ? <Calibrate editor={editor} /> : null}
      {editor.panel === "people" ? <People editor={editor} /> : null}
      {editor.panel === "name" ? <WhoAmI editor={editor} /> : null}
      {editor.panel === "aside" ? <SetAside editor={editor} /> : null}
      <Conflicts editor={editor} />
    </>
  );
}

/** Bring the page to life; returns what ends it. */
function started(editor: Editor, root: HTMLElement, redraw: () => void): () => void {
  const stage = new Stage(root, editor);
  const live = new Live(editor);
  let due = false;
  editor.changed = () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      redraw();
      stage.draw();
    });
  };
  editor.moved = (why) => stage.follow(why);
  editor.renamed = () => {
    live.close();
    live.open();
  };
  const ended = new AbortController();
  const listen = { signal: ended.signal };
  window.addEventListener("keydown", (event) => pressed(editor, stage, event), listen);
  window.addEventListener("keyup", (event) => released(editor, stage, event), listen);
  window.addEventListener("online", () => editor.journal.retry(), listen);
  window.addEventListener("beforeunload", (event) => editor.journal.waiting && event.preventDefault(), listen);
  focusPicture();
  void editor.start().then(() => live.open());
  return () => {
    ended.abort();
    live.close();
    stage.close();
  };
}

function Note({ editor }: { editor: Editor }) {
  const { note } = editor;
  return note.text ? <p class={`note ${note.bad ? "bad" : ""}`}>{note.text}</p> : null;
}
