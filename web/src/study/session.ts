/** A participant's session in the page: the clocks, what is not stored yet, and what comes next. */

import type { Editor } from "../editor/editor";
import { Refused } from "../server/api";
import type { Point } from "../server/types";
import { type Checked, type How, type Seat, type State, type Step, type Study, studyApi, type StudyEvent } from "./api";
import { WorkClock } from "./clock";

/** Milliseconds between two signs of life: so much of the clock can be lost in a crash. */
const BEAT = 5000;
const RETRY = 1500;
/** Milliseconds that a check waits for the editor's last corrections to be stored. */
const SETTLING = 20_000;
const MOST_AT_ONCE = 500;
const INPUTS = ["pointermove", "pointerdown", "keydown", "wheel"] as const;

const newId = () => crypto.randomUUID?.() ?? `k-${Date.now()}-${Math.random().toString(36).slice(2, 12)}`;

export class StudySession {
  state: State;
  readonly clock: WorkClock;
  /** The participant has paused, or came back and has not gone on yet. */
  paused: "pause" | "back" | null = null;
  checking = false;
  /** What the last check of this stretch found, while it is shown. */
  checked: Checked | null = null;
  /** Said once a stretch was right. */
  praise = "";
  fault = "";
  /** The participant has withdrawn. */
  gone = false;
  away = false;
  /** The editor of the editor arm, while it is open. */
  editor: Editor | null = null;
  changed: () => void = () => {};
  private waiting: StudyEvent[] = [];
  private sending: Promise<void> | null = null;
  private praising = 0;
  private retrying = 0;

  constructor(
    state: State,
    readonly simulated: boolean,
    private readonly storage: Storage | null,
  ) {
    this.state = state;
    this.clock = new WorkClock(state.study.idle);
    this.arrived(state);
    for (const input of INPUTS) window.addEventListener(input, () => this.clock.seen(), { capture: true, passive: true });
    window.setInterval(() => this.beat(), BEAT);
    window.addEventListener("pagehide", () => this.beat());
  }

  get study(): Study {
    return this.state.study;
  }

  get seat(): Seat | null {
    return this.state.seat;
  }

  get step(): Step | null {
    return this.seat?.steps[this.seat.step] ?? null;
  }

  /** The first and last frame of the stretch that is done now. */
  get stretch(): [number, number] {
    return this.seat?.stretches[this.seat.stretch] ?? [0, 0];
  }

  /** The number that the page gives to the first frame: the editor counts from 0, people do from 1. */
  get numbered(): number {
    return this.step?.method === "editor" ? 0 : 1;
  }

  get shownStretch(): [number, number] {
    return [this.stretch[0] + this.numbered, this.stretch[1] + this.numbered];
  }

  /** Joints placed in this step that the server may not know yet, oldest first. */
  unsentPlaces(): StudyEvent[] {
    return this.waiting.filter((event) => event.kind === "place" && event.step === this.seat?.step);
  }

  /** Do something that moves the session on; says what went wrong. */
  async go(asking: () => Promise<State>): Promise<void> {
    try {
      this.took(await asking());
      this.fault = "";
    } catch (error) {
      this.fault = error instanceof Refused ? error.message : "The server does not answer. Please try again in a moment.";
    }
    this.changed();
  }

  async begin(): Promise<void> {
    const { seat } = this;
    if (!seat) return;
    this.storage?.removeItem("emc.effort");
    await this.go(() => studyApi.begin(seat.step));
    if (!this.seat?.begun) return;
    this.clock.set(this.seat);
    this.clock.work();
    this.paused = null;
    this.changed();
  }

  pause(): void {
    if (!this.clock.working) return;
    this.clock.pause();
    this.paused = "pause";
    this.note("pause");
    this.changed();
  }

  resume(): void {
    this.clock.work();
    this.paused = null;
    this.note("resume");
    this.changed();
  }

  place(frame: number, joint: number, xy: Point | null, how: How): void {
    this.note("place", { frame, joint, xy, how });
  }

  async withdraw(): Promise<void> {
    const code = this.seat?.code;
    try {
      await studyApi.withdraw();
    } catch (error) {
      this.fault = error instanceof Refused ? error.message : "The server does not answer. Please try again in a moment.";
      return this.changed();
    }
    this.clock.stop();
    this.waiting = [];
    if (code) this.keep(code);
    Object.assign(this, { gone: true, paused: null, state: { ...this.state, seat: null } });
    this.changed();
  }

  /** Ask whether the frames of this stretch are right; where they are, the time is stamped and the next ones come. */
  async check(goOn = false): Promise<void> {
    const { seat } = this;
    if (!seat || this.checking) return;
    this.checking = true;
    this.clock.seen();
    const clocks = this.clock.read();
    this.changed();
    const body = { id: newId(), step: seat.step, stretch: seat.stretch, go_on: goOn, ...clocks };
    // The check belongs to the work, its answer does not: the clock stands while the server looks.
    this.clock.stop();
    try {
      await this.flush();
      await this.editorSettled();
      this.found(await studyApi.check(body));
    } catch (error) {
      this.fault = error instanceof Refused ? error.message : "The server does not answer. Please check again in a moment.";
    }
    this.checking = false;
    if (this.seat?.begun && !this.paused) this.clock.work();
    this.changed();
  }

  closeChecked(): void {
    this.checked = null;
    this.changed();
  }

  /** Take over where the server says the session is; a new step begins with clocks at nothing. */
  private took(state: State): void {
    const before = this.seat;
    this.state = state;
    const { seat } = this;
    if (!seat || before?.code !== seat.code) return this.arrived(state);
    if (before.step === seat.step) return;
    this.clock.set(seat);
    Object.assign(this, { checked: null, paused: null });
  }

  /** The page was opened, or somebody came back: what was being done waits behind a question. */
  private arrived(state: State): void {
    const { seat } = state;
    if (!seat) return;
    this.restore(seat.code);
    this.clock.set(seat);
    if (!seat.begun) return;
    this.paused = "back";
    this.note("opened");
  }

  private found(checked: Checked): void {
    this.fault = "";
    const { seat } = this;
    this.took(checked.state);
    this.checked = checked.passed ? null : checked;
    if (!checked.passed || !seat || seat.step !== this.seat?.step) return;
    const percent = Math.floor(100 * checked.share);
    this.praise = `Done: ${percent} % of the joints are right. Now frames ${this.shownStretch[0]} to ${this.shownStretch[1]}.`;
    clearTimeout(this.praising);
    this.praising = window.setTimeout(() => {
      this.praise = "";
      this.changed();
    }, 5000);
    void this.editor?.go(this.stretch[0]);
  }

  private async editorSettled(): Promise<void> {
    const { editor } = this;
    if (!editor) return;
    editor.corrections.flush();
    for (let waited = 0; editor.journal.waiting && waited < SETTLING; waited += 50) await new Promise((done) => setTimeout(done, 50));
    if (editor.journal.waiting) throw new Refused(503, "Your last corrections are not stored yet. Please check again in a moment.");
  }

  private beat(): void {
    if (this.seat?.begun && this.paused !== "back") this.note("beat");
  }

  private note(kind: StudyEvent["kind"], more: Partial<StudyEvent> = {}): void {
    const { seat } = this;
    if (!seat) return;
    this.waiting.push({ id: newId(), kind, step: seat.step, ...this.clock.read(), ...more });
    this.keep(seat.code);
    void this.flush().catch(() => {});
  }

  /** Send what is not stored yet, in order; what is noted meanwhile goes with it. */
  private async flush(): Promise<void> {
    while (this.waiting.length) {
      this.sending ??= this.send().finally(() => {
        this.sending = null;
      });
      await this.sending;
    }
  }

  private async send(): Promise<void> {
    const events = this.waiting.slice(0, MOST_AT_ONCE);
    try {
      await studyApi.events(events);
    } catch (error) {
      if (!(error instanceof Refused) || error.passing) return this.retryLater(error);
      // One that the server refuses must not take the others with it.
      for (const event of events.length > 1 ? events : []) await studyApi.events([event]).catch(() => {});
    }
    const sent = new Set(events.map((event) => event.id));
    this.waiting = this.waiting.filter((event) => !sent.has(event.id));
    this.told(false);
    if (this.seat) this.keep(this.seat.code);
  }

  private retryLater(error: unknown): never {
    this.told(true);
    clearTimeout(this.retrying);
    this.retrying = window.setTimeout(() => void this.flush().catch(() => {}), RETRY);
    throw error;
  }

  private told(away: boolean): void {
    if (this.away === away) return;
    this.away = away;
    this.changed();
  }

  private keep(code: string): void {
    try {
      if (this.waiting.length) this.storage?.setItem(`emc.study.${code}`, JSON.stringify(this.waiting));
      else this.storage?.removeItem(`emc.study.${code}`);
    } catch {
      // Without storage, what is not stored lasts until the page is left.
    }
  }

  private restore(code: string): void {
    try {
      this.waiting = JSON.parse(this.storage?.getItem(`emc.study.${code}`) ?? "[]") as StudyEvent[];
    } catch {
      this.waiting = [];
    }
  }
}
