/** The page of a study: loaded in place of the editor where the server says so. */

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Editor } from "../editor/editor";
import { Page } from "../page/page";
import { api, introduce } from "../server/api";
import { WHOLE_QUEUE } from "../server/queue";
import { studyApi } from "./api";
import { Over, StudyBar } from "./bar";
import { ClassicDesk } from "./desk";
import { Comment, Consent, Gone, Intro, Ratings, Thanks, Welcome } from "./pages";
import { StudySession } from "./session";

export async function startStudy(root: HTMLElement, tab: string, simulated: boolean, storage: Storage | null): Promise<void> {
  root.classList.add("study");
  introduce({ page: tab });
  try {
    const state = await studyApi.state();
    document.title = `${state.study.name} – study`;
    render(<StudyPage session={new StudySession(state, simulated, storage)} tab={tab} storage={storage} />, root);
  } catch (error) {
    root.textContent = error instanceof Error ? error.message : "The study cannot be opened: reload the page.";
  }
}

interface Given {
  session: StudySession;
  tab: string;
  storage: Storage | null;
}

function StudyPage({ session, tab, storage }: Given) {
  const [, redraw] = useState(0);
  session.changed = () => redraw((count) => count + 1);
  const { seat, step } = session;
  if (session.gone) return <Gone />;
  if (!seat || !step) return <Welcome session={session} />;
  if (step.kind === "consent") return <Consent session={session} />;
  if (step.kind === "tlx") return <Ratings key={seat.step} session={session} />;
  if (step.kind === "comment") return <Comment session={session} />;
  if (step.kind === "done") return <Thanks session={session} />;
  if (!seat.begun || !seat.task) return <Intro session={session} />;
  return (
    <>
      <StudyBar session={session} />
      {step.method === "classic" ? (
        <ClassicDesk key={seat.step} session={session} task={seat.task} />
      ) : (
        <EditorDesk key={seat.step} session={session} tab={tab} storage={storage} />
      )}
      <Over session={session} />
    </>
  );
}

/** The editor as everybody has it, on the participant's own copy of the clip, with its queue in the order of frames. */
function EditorDesk({ session, tab, storage }: Given) {
  const [editor, setEditor] = useState<Editor | null>(null);
  const [fault, setFault] = useState("");
  useEffect(() => {
    const opening = api.project().then((project) => {
      const clip = project.clips[0];
      if (!clip) throw new Error("the clip is missing");
      const made = new Editor(project, clip, tab, "", storage);
      made.asked = { ...WHOLE_QUEUE, order: "frame", down: false };
      session.editor = made;
      setEditor(made);
      // Who comes back goes on where these frames begin.
      if (session.seat?.stretch) window.setTimeout(() => void made.go(session.stretch[0]), 600);
    });
    opening.catch((error: Error) => setFault(`The editor cannot be opened (${error.message}). Please reload the page.`));
    return () => {
      session.editor = null;
    };
  }, []);
  if (fault) return <p class="fault">{fault}</p>;
  return editor ? <Page editor={editor} /> : <p class="empty">Opening …</p>;
}
