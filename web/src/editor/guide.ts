/** Navigation through the queue: which run one is in, which comes next (prefetched), and presence, which tells others where one is. */

import { api } from "../server/api";
import { holds, QUEUE_PAGE, WHOLE_QUEUE } from "../server/queue";
import type { Change, Page, Place, Run } from "../server/types";
import { afterPaint } from "./afterpaint";
import type { EditorState } from "./state";

/** Frames of which the server tells a joint's trajectory at once. */
const MOST_FRAMES = 2000;
const PRESENCE_PAUSE = 400;
/** Who looks at a joint this long (milliseconds) will correct it: only then is decoded ahead what a repair needs. */
const LOOKING = 450;
/** And who stays on a frame this long (milliseconds) will correct something on it. */
const STAYING = 900;

interface Anchor extends Place {
  clip: string;
}

/** The next run of the queue, asked for before it is wanted; `known` once the answer is here. */
interface Prefetched {
  key: string;
  row: Promise<Run | null>;
  known: Run | null;
}

export class Guide {
  run: Run | null = null;
  private anchor: Anchor | null = null;
  private prefetched: Prefetched | null = null;
  private presence = { timer: 0, sent: "" };
  private looks = 0;
  private warming = 0;

  /** opening : the first page of the queue, asked for before the editor was there. */
  constructor(
    private readonly editor: EditorState,
    private opening: Promise<Page<Run>> | null,
  ) {}

  /** Return a page of the queue; the first one was asked for already, and serves until something changes. */
  page(offset: number, limit = QUEUE_PAGE): Promise<Page<Run>> {
    const first = this.opening;
    if (first && offset === 0 && this.editor.edition === 0 && this.editor.asked === WHOLE_QUEUE) return first;
    this.opening = null;
    return api.queue(this.editor.asked, offset, limit);
  }

  /** Go to the next open run of the queue. */
  async next(step: 1 | -1): Promise<void> {
    const { editor } = this;
    editor.corrections.flush();
    const place = () => [editor.clip.id, editor.frame, editor.person, editor.joint].join();
    const before = place();
    const row = await this.asked(step);
    // Who went elsewhere while this was asked is not taken away from there.
    if (before !== place()) return;
    if (row) return this.open(row, step);
    const facets = await editor.attempt(api.facets("open"));
    editor.say(facets?.open ? "nothing else is open under these filters" : "no open alert is left in this project");
    if (!facets?.open) Object.assign(editor, { joint: null, armed: false });
    editor.changed();
  }

  /** Show a run of the queue: where a fix repairs most of it, with the joint waiting for a click. */
  async open(run: Run, step: 1 | -1 = 1): Promise<void> {
    const { editor } = this;
    const clip = editor.clipOf(run.clip);
    if (!clip) return editor.say(`clip ${run.clip} is new: reload the page`, true);
    const frame = await this.firstToSee(run);
    this.arrived(run);
    this.anchor = { clip: run.clip, frame, person: run.person, joint: run.joint };
    if (clip !== editor.clip) await editor.openClip(clip, frame);
    else if (frame !== editor.frame) await editor.go(frame);
    if (editor.frame !== frame || clip !== editor.clip) return;
    await this.look(run, frame);
    this.prefetch(step);
  }

  /** Choose a run's joint; where its person is not on the frame, on the nearest frame of the run that shows it. */
  private async look(run: Run, frame: number): Promise<void> {
    const { editor } = this;
    if (!editor.poseOf(run.person)) {
      const near = await this.nearest(run, frame);
      if (editor.frame !== frame) return;
      if (near === null) return editor.say(`person ${run.person} is on no frame from ${run.first} to ${run.last}`);
      await editor.go(near);
      if (editor.frame !== near) return;
    }
    if (editor.poseOf(run.person)) editor.select(run.person, run.joint, run.state === "open", "suspect");
  }

  /** Return the frame of a run nearest to `frame` on which its person is, null where there is none. */
  private async nearest({ clip, person, joint, first, last }: Run, frame: number): Promise<number | null> {
    const from = Math.max(first, frame - MOST_FRAMES / 2);
    const track = await api.track(clip, person, joint, from, Math.min(last, from + MOST_FRAMES - 1)).catch(() => null);
    const near = (track?.frames ?? []).toSorted((a, b) => Math.abs(a - frame) - Math.abs(b - frame));
    return near[0] ?? null;
  }

  /** Show where the work begins, and get what Tab will bring. */
  begun(run: Run): void {
    this.arrived(run);
    this.prefetch(1);
  }

  /** Note the run that one is in. */
  arrived(run: Run): void {
    this.run = run;
    this.anchor = { clip: run.clip, frame: run.first, person: run.person, joint: run.joint };
  }

  /** Note that another joint is looked at: its run, its candidates, and pictures for the repair to come. */
  looked(): void {
    const { editor } = this;
    const { clip, frame, person, joint } = editor;
    if (person === null || joint === null) return;
    const place = { frame, person, joint };
    this.looks += 1;
    const look = this.looks;
    if (this.run && !holds(this.run, clip.id, person, joint, frame)) this.run = null;
    const current = () => look === this.looks && clip === editor.clip;
    this.warm(LOOKING);
    afterPaint(() => current() && this.lookedUp(place, current));
  }

  /** Note that another frame is open: who stays on it will correct something there. */
  stayed(): void {
    this.warm(STAYING);
  }

  /** Find candidates and the run of a joint that is looked at, as long as it is. */
  private lookedUp(place: Place, current: () => boolean): void {
    const { editor } = this;
    api.candidates(editor.clip.id, place).then(
      ({ candidates }) => {
        if (!current() || place.frame !== editor.frame) return;
        editor.candidates = candidates;
        editor.changed();
      },
      () => {}, // Without candidates the joint is placed by hand.
    );
    if (!this.run) void this.runAt(place).then((run) => {
      if (!current() || !run) return;
      this.run = run;
      editor.changed();
    });
  }

  /** Return the run of the queue that a place is in, null where there is none. */
  async runAt({ frame, person, joint }: Place): Promise<Run | null> {
    const { clip, skeleton } = this.editor;
    const name = skeleton.joints[joint] ?? "";
    const only = { ...WHOLE_QUEUE, state: "all" as const, clip: [clip.id], joint: [name], person: [person] };
    const found = await api.queue(only, 0, 200).catch(() => null);
    return found?.rows.find((run) => holds(run, clip.id, person, joint, frame)) ?? null;
  }

  /** Go to the middle of what of the run nobody has decided. */
  async bisect(): Promise<void> {
    const { editor, run } = this;
    const { person, joint } = editor;
    if (!run || person === null || joint === null) return editor.say("choose a flagged joint first: press Tab");
    await editor.settled();
    const found = await editor.attempt(api.bisect(editor.clip.id, person, joint, run.first, run.last));
    if (!found) return;
    if (found.frame === null) return editor.say("every frame of this run is decided");
    await editor.go(found.frame);
    await this.look(run, found.frame);
    editor.say(`${found.left} of ${run.last - run.first + 1} frames of this run are open`);
  }

  /** A prefetched run is no longer open where an action decided it. */
  decided(changes: readonly Change[]): void {
    const run = this.prefetched?.known;
    const clip = this.editor.clip.id;
    if (run && changes.some(({ person, joint, frame }) => holds(run, clip, person, joint, frame))) this.prefetched = null;
  }

  /** The prefetched run may have changed. */
  outdate(): void {
    this.prefetched = null;
    this.prefetch(1);
  }

  /** Tell the others where one is, not more often than they can see. */
  sendPresence(): void {
    clearTimeout(this.presence.timer);
    this.presence.timer = window.setTimeout(() => {
      const { clip, frame, person, joint } = this.editor;
      const place = [clip.id, frame, person, joint].join();
      if (place === this.presence.sent) return;
      this.presence.sent = place;
      api.presence(clip.id, frame, person, joint).catch(() => {});
    }, PRESENCE_PAUSE);
  }

  /** Let the server decode what a repair here will need; then what one on the next run of the queue will. */
  private warm(after: number): void {
    clearTimeout(this.warming);
    this.warming = window.setTimeout(() => {
      const { clip, frame, person } = this.editor;
      if (person === null) return;
      api.warm(clip.id, person, frame).catch(() => {});
      this.warming = window.setTimeout(() => void this.warmNext(), STAYING);
    }, after);
  }

  private async warmNext(): Promise<void> {
    const run = this.prefetched?.known;
    if (!run) return;
    await api.warm(run.clip, run.person, await this.firstToSee(run)).catch(() => {});
  }

  private asked(step: 1 | -1): Promise<Run | null> {
    const key = this.keyOf(step);
    const held = this.prefetched;
    this.prefetched = null;
    if (held?.key === key) return held.row;
    return this.editor.settled().then(() => this.ask(step));
  }

  private async ask(step: 1 | -1): Promise<Run | null> {
    const { editor } = this;
    const at = this.anchor ?? { clip: editor.clip.id, frame: editor.frame };
    return (await editor.attempt(api.next(editor.asked, step, at.clip, at)))?.row ?? null;
  }

  /** Ask for the next run, and for its poses and picture, before it is wanted. */
  private prefetch(step: 1 | -1): void {
    const key = this.keyOf(step);
    if (this.prefetched?.key === key) return;
    const row = new Promise<void>(afterPaint).then(() => this.ask(step));
    const ahead: Prefetched = { key, row, known: null };
    this.prefetched = ahead;
    void row.then((run) => {
      ahead.known = run;
      if (run) void this.expect(run);
    });
  }

  private async expect(run: Run): Promise<void> {
    const { editor } = this;
    const clip = editor.clipOf(run.clip);
    if (!clip) return;
    const frame = await this.firstToSee(run);
    editor.expected(clip, frame);
    if (clip === editor.clip) void editor.frames.fetched(frame);
  }

  private async firstToSee(run: Run): Promise<number> {
    if (run.first === run.last || run.done >= run.total) return run.first;
    if (!run.done) return Math.floor((run.first + run.last) / 2);
    const found = await api.bisect(run.clip, run.person, run.joint, run.first, run.last).catch(() => null);
    return found?.frame ?? run.first;
  }

  private keyOf(step: 1 | -1): string {
    return JSON.stringify([step, this.anchor, this.editor.asked]);
  }
}
