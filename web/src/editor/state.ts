/** What the page knows: what is open and chosen, what is shown beside it, and what is said. */

import type { Conflict, Journal } from "../journal/journal";
import { Refused } from "../server/api";
import { type QueueQuery, WHOLE_QUEUE } from "../server/queue";
import type { Candidate, Change, Clip, Colleague, Compared, Frame, Job, Lifted, Order, Pose, Project, Run, Skeleton } from "../server/types";
import { Clock } from "./clock";
import { Effort } from "./effort";
import type { FrameCache } from "./frames";
import { Keys } from "./keys";

/** Why the view must follow; `picture`: another frame's picture is wanted, its poses are still on their way. */
export type Why = "picture" | "frame" | "joint" | "suspect" | "fit" | "fitFrame" | "clip";
export type Panel = "help" | "sheet" | "trajectory" | "calibrate" | "people" | "name" | "aside" | null;

const AWAY = "the server does not answer: is `emc edit` running?";

export interface Note {
  text: string;
  bad: boolean;
}

/** What the editor's other parts ask of its corrections. */
export interface Edits {
  /** Make an action of nudges that still wait for another. */
  flush(): void;
  edit(kind: string, changes: Change[], propagate?: boolean): void;
}

/** The editor as its parts see it: they know this class only, so that none of them imports the whole. */
export abstract class EditorState {
  clip: Clip;
  frame = 0;
  person: number | null = null;
  joint: number | null = null;
  /** The active joint waits for a click that places it. */
  armed = false;
  /** The next drag on the picture draws the box of a person whom the detector missed. */
  drawing = false;
  hidden = false;
  panel: Panel = null;
  scene = false;
  list: "joints" | "frames" = "joints";
  order: Order = "worst";
  asked: QueueQuery = WHOLE_QUEUE;
  candidates: Candidate[] = [];
  conflicts: Conflict[] = [];
  people: Colleague[] = [];
  job: Job | null = null;
  /** Before and after calibration on this frame, with the share of the picture that shows "before". */
  compared: { sides: Compared; split: number } | null = null;
  /** The 3D pose of the chosen person on this frame, while the 3D panel is open. */
  lifted: Lifted | null = null;
  note: Note = { text: "", bad: false };
  spoken = "";
  /** Grows when lists must be asked for again. */
  edition = 0;
  /** Called when something to be shown has changed. */
  changed: () => void = () => {};
  /** Called when the view must follow: another frame, or a joint to look at. */
  moved: (why: Why) => void = () => {};
  /** Called with frames whose pictures will be wanted soon. */
  expected: (clip: Clip, frame: number) => void = () => {};
  /** Called when the name that others see has changed. */
  renamed: () => void = () => {};

  readonly clock = new Clock();
  readonly keys: Keys;
  readonly effort: Effort;
  abstract readonly frames: FrameCache;
  abstract readonly journal: Journal;
  abstract readonly corrections: Edits;
  private noteTimer = 0;

  constructor(
    readonly project: Project,
    first: Clip,
    readonly tab: string,
    public name: string,
    private readonly storage: Storage | null,
  ) {
    this.clip = first;
    this.keys = new Keys(storage);
    this.effort = new Effort(storage);
  }

  /** Return the run of the queue that the active joint is in, as far as it is known. */
  abstract get run(): Run | null;

  abstract openClip(clip: Clip, frame?: number): Promise<void>;

  /** Show a frame; the poses around it are fetched with it. */
  abstract go(frame: number): Promise<void>;

  /** Choose a person and a joint; `follow` brings the joint into sight, a suspect one near the pointer. */
  abstract select(person: number, joint: number | null, armed?: boolean, follow?: Why | null): void;

  get skeleton(): Skeleton {
    return this.project.skeletons[this.clip.skeleton] as Skeleton;
  }

  /** The frame that is shown, null while it is on its way. */
  get now(): Frame | null {
    return this.frames.get(this.frame);
  }

  get pose(): Pose | null {
    return this.poseOf(this.person);
  }

  poseOf(person: number | null): Pose | null {
    return this.now?.poses.find((pose) => pose.person === person) ?? null;
  }

  say(text: string, bad = false): void {
    this.note = { text, bad };
    this.spoken = text;
    clearTimeout(this.noteTimer);
    this.noteTimer = window.setTimeout(() => this.silence(), bad ? 12_000 : 5000);
    this.changed();
  }

  /** Sign with this name in later pages of this browser, too. */
  keepName(name: string): void {
    try {
      this.storage?.setItem("emc.name", name);
    } catch {
      // Without storage the name lasts until the page is left.
    }
  }

  jointName(joint: number): string {
    return (this.skeleton.joints[joint] ?? `joint ${joint}`).replaceAll("_", " ");
  }

  clipOf(id: string): Clip | undefined {
    return this.project.clips.find((clip) => clip.id === id);
  }

  /** Wait until all actions are stored, or cannot be for now. */
  async settled(): Promise<void> {
    for (let i = 0; i < 40 && this.journal.saving === "saving"; i += 1) await new Promise((done) => setTimeout(done, 25));
  }

  async attempt<T>(asking: Promise<T>): Promise<T | null> {
    try {
      const found = await asking;
      this.answered();
      return found;
    } catch (error) {
      this.say(error instanceof Refused ? error.message : AWAY, true);
      return null;
    }
  }

  /** The server is there: what said that it is not has had its time. */
  protected answered(): void {
    if (this.note.text === AWAY) this.silence();
  }

  private silence(): void {
    this.note = { text: "", bad: false };
    this.changed();
  }
}
