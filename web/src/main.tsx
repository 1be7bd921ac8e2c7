/** The entry of the page: opens the editor, or the study where the server says so. */

import { render } from "preact";
import { Editor } from "./editor/editor";
import { Page } from "./page/page";
import { api, introduce } from "./server/api";
import { QUEUE_PAGE, WHOLE_QUEUE } from "./server/queue";
// All styles are here, since their order counts: narrow screens and the study change what the others set.
import "./page/theme.css";
import "./page/page.css";
import "./queue/queue.css";
import "./page/picture.css";
import "./joints/joints.css";
import "./scene/scene.css";
import "./widgets/dialog.css";
import "./page/keysheet.css";
import "./sheet/sheet.css";
import "./page/dialogs.css";
import "./calibrate/calibrate.css";
import "./people/people.css";
import "./page/narrow.css";
import "./study/study.css";

function storageOf(kind: "localStorage" | "sessionStorage"): Storage | null {
  try {
    return window[kind];
  } catch {
    return null;
  }
}

/** Return a name of this tab: what it could not store is kept under it, apart from other tabs. */
function tabName(): string {
  return `page-${Math.random().toString(36).slice(2, 12).padEnd(10, "0")}`;
}

/** Return a name of this browser that lasts: undo goes by who acts, and two people may give the same name, or none. */
function browserName(): string {
  const storage = storageOf("localStorage");
  const name = storage?.getItem("emc.browser") ?? tabName().replace("page", "browser");
  try {
    storage?.setItem("emc.browser", name);
  } catch {
    // Without storage the name lasts until the page is left.
  }
  return name;
}

async function start(): Promise<void> {
  const root = document.getElementById("app") as HTMLElement;
  const theme = storageOf("localStorage")?.getItem("emc.theme");
  if (theme) document.documentElement.dataset.theme = theme;
  const simulated = new URLSearchParams(location.search).has("simulated");
  // The token is a cookie by now: it need not stay in the address, the history or a screenshot.
  if (location.search) history.replaceState(null, "", location.pathname + location.hash);
  const tab = tabName();
  if (document.documentElement.dataset.page === "study") {
    const { startStudy } = await import("./study/main");
    return startStudy(root, tab, simulated, storageOf("localStorage"));
  }
  const name = storageOf("localStorage")?.getItem("emc.name") ?? "";
  introduce({ page: tab, browser: browserName(), name });
  try {
    const opening = api.queue(WHOLE_QUEUE, 0, QUEUE_PAGE);
    opening.catch(() => {}); // Asked again, and told, by who needs it.
    const project = await api.project();
    document.title = `${project.name} – EMC editor`;
    // Where nothing is flagged, a clip with poses says more than one without.
    const first = project.clips.find((clip) => clip.frames_predicted > 0) ?? project.clips[0];
    if (!first) {
      root.textContent = "This project has no clip yet: add one with emc add VIDEO, then run emc predict.";
      return;
    }
    render(<Page editor={new Editor(project, first, tab, name, storageOf("localStorage"), opening)} />, root);
  } catch (error) {
    root.textContent = error instanceof Error ? error.message : "The editor cannot be opened.";
  }
}

void start();
