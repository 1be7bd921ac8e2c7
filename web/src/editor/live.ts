/** News from the server: what others do, how a calibration goes on, new predictions. */

import { api, signsItself } from "../server/api";
import type { Colleague, Job } from "../server/types";
import type { Editor } from "./editor";
import { jobUpdated, predictionsUpdated } from "./models";

/** Kinds of edits that leave every person who they are. */
const JOINTWISE = ["drag", "place", "nudge", "visibility", "candidate", "resolve", "confirm", "confirm run", "visibility run"];

interface Made {
  clip: string;
  id: number;
  kind: string;
  author: string;
  touched: [number, number] | null;
  own: boolean;
}

const PAUSE = 1500;

export class Live {
  private source: EventSource | null = null;
  private timer = 0;

  constructor(private readonly editor: Editor) {}

  /** Listen; after the server was away, listen again. */
  open(): void {
    const source = new EventSource(api.events(this.editor.journal.history.last));
    this.source = source;
    const on = <T>(name: string, act: (news: T) => void) =>
      source.addEventListener(name, (event) => act(JSON.parse((event as MessageEvent<string>).data) as T));
    on<{ people: Colleague[] }>("hello", (news) => this.met(news.people));
    on<{ people: Colleague[] }>("presence", (news) => this.met(news.people));
    on<Made>("edit", (news) => this.made(news));
    on<Job>("job", (job) => jobUpdated(this.editor, job));
    on<{ clip: string }>("run", () => void predictionsUpdated(this.editor));
    source.onerror = () => {
      // A refused stream (another token after a restart) is not tried again by the browser itself.
      if (source.readyState !== EventSource.CLOSED) return;
      this.timer = window.setTimeout(() => this.open(), PAUSE);
    };
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
  }

  private met(people: Colleague[]): void {
    const { editor } = this;
    editor.people = people;
    const me = people.find(({ page }) => page === editor.tab);
    if (me && me.name !== editor.name && signsItself()) editor.signs(me.name);
    editor.changed();
  }

  private made(news: Made): void {
    const { editor } = this;
    if (news.own) return;
    editor.edition += 1;
    if (news.clip === editor.clip.id && news.touched) {
      // A click that waits was meant for a person who may be another one now.
      if (!JOINTWISE.includes(news.kind)) editor.armed = false;
      editor.frames.outdate();
      editor.took(news.touched, []);
    } else if (news.clip === editor.clip.id) void editor.readAgain();
    editor.changed();
  }
}
