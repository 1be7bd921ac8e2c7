/** News from the server: what others do, how a calibration goes on, new predictions. */

import { api } from "../server/api";
import type { Colleague, Job } from "../server/types";
import type { Editor } from "./editor";
import { jobUpdated, predictionsUpdated } from "./models";

interface Made {
  clip: string;
  id: number;
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
    this.editor.people = people;
    this.editor.changed();
  }

  private made(news: Made): void {
    const { editor } = this;
    if (news.own) return;
    editor.edition += 1;
    if (news.clip === editor.clip.id && news.touched) {
      editor.frames.outdate();
      editor.took(news.touched, []);
    }
    editor.changed();
  }
}
