/** Made by `npm run wire` from openapi.json: change src/emc/server/schemas/, not this. */

/** What the next `seconds` of work should bring: runs, and wrong joints put right (`worked`: what they cost). */
export interface AheadOut {
  joints: number;
  runs: number;
  seconds: number;
  worked: number;
}

/** A row of the queue: the joint on frames first..last is decided on `done` of `total` frames. */
export interface AlertRowOut {
  done: number;
  first: number;
  joint: number;
  last: number;
  person: number;
  reason: string;
  severity: number;
  total: number;
}

/** A page of the queue. */
export interface AlertRowsOut {
  rows: AlertRowOut[];
  total: number;
}

/** Joint angles around a frame: name -> degrees on each frame from `first` on, None where there is none. */
export interface AnglesOut {
  degrees: Record<string, (number | null)[]>;
  first: number;
}

/** Where to look next on a run, None where every frame is decided; `left` of them are not. */
export interface BisectOut {
  frame: number | null;
  left: number;
}

/** A calibration to start. */
export interface CalibrateIn {
  predict?: boolean;
  steps?: number | null;
}

/** A place that the joint may be meant to have; `key` accepts it. */
export interface CandidateOut {
  key: number;
  score: number;
  source: "peak" | "tracker" | "interpolation" | "mirror";
  xy: [number, number];
}

/** The candidates of a joint on a frame. */
export interface CandidatesOut {
  candidates: CandidateOut[];
}

/** One joint's new value; without `xy` it has no place (only where it is absent). seen: the joint's version that the page showed, None where it does not matter. */
export interface ChangeIn {
  frame: number;
  joint: number;
  person: number;
  provenance: 2 | 3;
  seen?: number | null;
  visibility: 0 | 1 | 2;
  xy: [number, number] | null;
}

/** The checkpoint that was chosen, and why. */
export interface ChosenOut {
  step: number;
  why: string;
}

/** A clip; `version` changes with its media, `alerts` counts the queue, `frames_predicted` the (m, n) list. rendered : its people are not filmed. every : persons were looked for on one frame of so many, 0: on other frames. */
export interface ClipOut {
  alerts: number;
  every: number;
  fps: number;
  frames: number;
  frames_predicted: number;
  group: string;
  height: number;
  id: string;
  model: string | null;
  rendered: boolean;
  role: string;
  skeleton: string;
  version: string;
  width: number;
}

/** The same frame by two models. */
export interface CompareOut {
  after: SideOut | null;
  before: SideOut | null;
}

/** A joint that somebody else changed since the page saw version `seen`. */
export interface ConflictOut {
  frame: number;
  joint: number;
  person: number;
  seen: number;
  theirs: TheirsOut;
  yours: ValueOut;
}

/** Why an edit was not stored: choose a value for each joint and send it again. */
export interface ConflictsOut {
  conflicts: ConflictOut[];
  error: string;
}

/** A clip from end to end in equal stretches: summed P(wrong) of the runs that are open, and of those confirmed. */
export interface DensityOut {
  confirmed: number[];
  open: number[];
}

/** The same person by a run's raw predictions: `xyz` and `angles` as `LiftedOut` has them. */
export interface EarlierOut {
  angles: AnglesOut;
  xyz: ([number, number, number])[];
}

/** One action; `token` is the page's own name for it, so that one that is sent twice is stored once. propagate: carry placed joints along their runs, at most `reach` frames to each side, in the same transaction. */
export interface EditIn {
  changes: ChangeIn[];
  kind: string;
  propagate?: boolean;
  reach?: number;
  seconds?: number;
  token: string;
}

/** What was stored (`id` None: there was nothing to do), and the frames that it changed as they are now. frames: the first 200 of them. touched: first and last changed frame. propagated: what was carried along with the fix. fault: why it could not be carried to the frames around it; the fix itself is stored. person: the number of a person who was added. */
export interface EditOut {
  fault: string;
  frames: FrameOut[];
  history: HistoryOut;
  id: number | null;
  kind: string;
  person: number | null;
  propagated: SpanOut[];
  touched: [number, number] | null;
}

/** What the work took and brought so far (joints on frames), and what more of it is expected to bring. per_minute : of the last ten minutes of work. curve : the same over all the work. forecast : by the queue's P(wrong) and predicted seconds, most gain per second first. */
export interface EffortOut {
  actions: number;
  curve: number[];
  decided: number;
  forecast: AheadOut[];
  per_minute: number | null;
  repaired: number;
  seconds: number;
}

/** What went wrong, where, and what to do. */
export interface ErrorOut {
  error: string;
}

/** Counts of the runs that the filter lets through; `open`, `confirmed`, `seconds` are of the clips asked for. clips: of every clip, whichever are asked for. */
export interface FacetsOut {
  clips: Record<string, number>;
  confirmed: number;
  joints: Record<string, number>;
  open: number;
  persons: PersonCountOut[];
  reasons: Record<string, number>;
  seconds: number;
}

/** An open alert on a frame. */
export interface FlagOut {
  joint: number;
  person: number;
  reason: string;
  severity: number;
}

/** One frame as it is now. */
export interface FrameOut {
  flagged: FlagOut[];
  frame: number;
  lost: number;
  low: number;
  poses: PoseOut[];
  state: "open" | "changed" | "confirmed";
}

/** A row of the (m, n) list: what of a frame is still open. */
export interface FrameRowOut {
  flagged: FlagOut[];
  frame: number;
  lost: number;
  low: number;
  state: "open" | "changed" | "confirmed";
}

/** A page of the (m, n) list. */
export interface FrameRowsOut {
  rows: FrameRowOut[];
  total: number;
}

/** Some frames, and the clip's history. */
export interface FramesOut {
  frames: FrameOut[];
  history: HistoryOut;
}

/** What undo and redo would do next for this author; `last` is the newest edit of the clip, whoever made it. */
export interface HistoryOut {
  last: number;
  redo: Step | null;
  undo: Step | null;
}

/** A calibration as it is now. */
export interface JobOut {
  chosen: ChosenOut | null;
  done: number;
  finished: string | null;
  id: string | null;
  ladder: LadderRowOut[];
  log: string[];
  loss: ([number, number])[];
  message: string;
  note: string;
  phase: string;
  scored_on: "validation" | "test";
  started: string | null;
  state: "none" | "running" | "done" | "failed" | "cancelled";
  total: number | null;
}

/** How far a joint is from its lifted place: pixels, and share of the person's size. */
export interface JointOffOut {
  joint: number;
  off: number;
  share: number;
}

/** One checkpoint: shares of joints right (PCKh) on target and common data, None where unknown or of too few. */
export interface LadderRowOut {
  chosen: boolean;
  common: number | null;
  leg: number | null;
  share: number | null;
  step: number;
  target: number | null;
}

/** One person in 3D: metres, camera axes (x right, y down, z away), pelvis at the origin; `ground` is the floor's y. trails : of hands and feet. earlier : before corrections, or by another run, where that was asked for. */
export interface LiftedOut {
  angles: AnglesOut;
  earlier: EarlierOut | null;
  ground: number;
  joints: string[];
  joints2d: JointOffOut[];
  limbs: ([number, number])[];
  pixel: ([number, number])[];
  scale: number;
  trails: TrailOut[];
  xyz: ([number, number, number])[];
}

/** A person whom the detector missed: the box around them, on a frame; `follow` looks on the frames around too. */
export interface NewcomerIn {
  box: [number, number, number, number];
  follow?: boolean;
  frame: number;
  seconds?: number;
  token: string;
}

/** The next frame with an open alert, None where all is done. */
export interface NextOut {
  frame: number | null;
}

/** No options. */
export interface NothingIn {
}

/** An operation on a run: frames first..last; `first` None is `frame`, `last` None from here on. base: the newest edit that the page knew of (`history.last`), None where others' work does not matter. */
export interface OperationIn {
  base?: number | null;
  first?: number | null;
  frame: number;
  joints?: number[] | null;
  last?: number | null;
  limb?: string | null;
  op: "swap" | "identity" | "mirror" | "copy" | "visibility" | "confirm" | "add_person";
  other?: number | null;
  person: number;
  seconds?: number;
  token: string;
  visibility?: 0 | 1 | 2 | null;
  xy?: [number, number] | null;
}

/** Two people who may be one: `person` lies on another on `inside` of their `frames`. */
export interface OverlapOut {
  frames: number;
  inside: number;
  on: number;
  person: number;
}

/** An edit of people: `persons` are deleted, merged into `into`, restored, or the athletes (nobody: everyone). */
export interface PeopleIn {
  action: "delete" | "merge" | "restore" | "athlete";
  into?: number | null;
  persons: number[];
  seconds?: number;
  token: string;
}

/** The people of a clip, those who were deleted last; `athletes` is empty where everyone counts. */
export interface PeopleOut {
  athletes: number[];
  overlaps: OverlapOut[];
  people: PersonRowOut[];
}

/** Runs of one person of one clip. */
export interface PersonCountOut {
  clip: string;
  n: number;
  person: number;
}

/** A person: frames, mean confidence (None: not predicted), joints by hand, and a square that shows them. seen: the frame of the square (centre x, y and side). merged: numbers that the person had. counts: for alerts, calibration and lifting. */
export interface PersonRowOut {
  confidence: number | null;
  corrected: number;
  counts: boolean;
  deleted: boolean;
  first: number;
  frames: number;
  last: number;
  merged: number[];
  person: number;
  seen: number;
  square: [number, number, number];
}

/** One person: (x, y) or None per joint, visibility 0 to 2, provenance 0 to 3, the model's confidence in [0, 1]. versions: per joint the id of the edit that decides it, 0 as predicted. */
export interface PoseOut {
  box: [number, number, number, number] | null;
  confidence: number[];
  person: number;
  provenance: number[];
  versions: number[];
  visibility: number[];
  xy: ([number, number] | null)[];
}

/** What a run predicted of one person. */
export interface PredictedOut {
  confidence: number[];
  person: number;
  xy: ([number, number] | null)[];
}

/** Where a page is: what its person looks at. */
export interface PresenceIn {
  clip?: string | null;
  frame?: number | null;
  joint?: number | null;
  person?: number | null;
}

/** What a fix would repair; nothing was written. */
export interface PreviewOut {
  milliseconds: number;
  spans: PreviewSpanOut[];
}

/** What a fix would repair, frame by frame. */
export interface PreviewSpanOut {
  after: "human" | "cut" | "occlusion" | "flow" | "agrees" | "reach" | "end";
  before: "human" | "cut" | "occlusion" | "flow" | "agrees" | "reach" | "end";
  changed: number;
  first: number;
  frames: SpanFrameOut[];
  joint: number;
  last: number;
  person: number;
}

/** The project: its clips, their skeletons, and the confidences that bound lost and low. */
export interface ProjectOut {
  clips: ClipOut[];
  emc: string;
  key: string;
  lost: number;
  low: number;
  name: string;
  skeletons: Record<string, SkeletonOut>;
}

/** A fix to look at before it is made. */
export interface PropagateIn {
  changes: ChangeIn[];
  reach?: number;
}

/** The run to go on with (None: nothing is left), and its index in the list. */
export interface QueueNextOut {
  index: number;
  row: QueueRowOut | null;
}

/** A page of the queue. */
export interface QueueOut {
  rows: QueueRowOut[];
  total: number;
}

/** A run of frames of one joint: its P(wrong) `severity`, `value` in repaired frames per second, and its cost. */
export interface QueueRowOut {
  clip: string;
  done: number;
  first: number;
  frames: number;
  joint: number;
  key: string;
  last: number;
  name: string;
  person: number;
  reason: string;
  seconds: number;
  severity: number;
  state: "open" | "confirmed";
  total: number;
  value: number;
}

/** What a calibration has to work with: labelled persons, and those that would train and choose the model. problems : why it cannot start, each with what to do. notes : what will make its result uncertain. */
export interface ReadyOut {
  clips: number;
  frames: number;
  groups: number;
  joints: number;
  notes: string[];
  persons: number;
  problems: string[];
  ready: boolean;
  train: number;
  validation: number;
}

/** How far a run is; one that is sent back needs a note that says why. */
export interface ReviewIn {
  note?: string;
  state: "open" | "done" | "checked" | "sent back";
}

/** What was said last of a run, by whom and when ("" where nobody said anything). edited_since: whether the project was edited after that. */
export interface ReviewOut {
  at: string;
  by: string;
  edited_since: boolean;
  note: string;
  run: string;
  state: "open" | "done" | "checked" | "sent back";
}

/** A prediction run of a clip. */
export interface RunOut {
  complete: boolean;
  created: string;
  current: boolean;
  id: string;
  model: string;
}

/** The prediction runs of a clip, oldest first. */
export interface RunsOut {
  runs: RunOut[];
}

/** What one run predicted on a frame. */
export interface SideOut {
  model: string;
  people: PredictedOut[];
  run: string;
}

/** Joints, limbs to draw, and for each joint its mirror joint. */
export interface SkeletonOut {
  flip: number[];
  joints: string[];
  limbs: ([number, number])[];
}

/** A place that a fix would move: to `xy`, from `was`; `sigma` is how sure that is, in pixels. */
export interface SpanFrameOut {
  frame: number;
  sigma: number;
  was: [number, number] | null;
  xy: [number, number];
}

/** What a fix repaired: frames first..last were looked at, `changed` of them moved; why it went no further. */
export interface SpanOut {
  after: "human" | "cut" | "occlusion" | "flow" | "agrees" | "reach" | "end";
  before: "human" | "cut" | "occlusion" | "flow" | "agrees" | "reach" | "end";
  changed: number;
  first: number;
  joint: number;
  last: number;
  person: number;
}

/** An edit that undo or redo would take. */
export interface Step {
  id: number;
  kind: string;
}

/** Undo or redo of the sender's own last action; with `target`, only where that is edit `target`. */
export interface StepIn {
  target?: number | null;
  token: string;
}

/** A joint's value in the journal, and who set it when, by which edit. */
export interface TheirsOut {
  author: string;
  created: string;
  kind: string;
  provenance: number;
  version: number;
  visibility: number;
  xy: [number, number] | null;
}

/** One joint over a run, a value per frame. */
export interface TrackOut {
  confidence: number[];
  frames: number[];
  predicted: ([number, number] | null)[];
  provenance: number[];
  versions: number[];
  visibility: number[];
  xy: ([number, number] | null)[];
}

/** The way of a joint through the frames up to the shown one, oldest first; None where it was not lifted. */
export interface TrailOut {
  joint: number;
  xyz: ([number, number, number] | null)[];
}

/** A joint's value. */
export interface ValueOut {
  provenance: number;
  visibility: number;
  xy: [number, number] | null;
}

/** A person that is about to be corrected. */
export interface WarmIn {
  frame: number;
  person: number;
  reach?: number;
}

/** How many pictures are ready, of how many. */
export interface WarmOut {
  ready: number;
  wanted: number;
}

/** Every operation: what is asked in the address, what is sent, what is answered. */
export interface Operations {
  /** Say how the calibration stands. */
  "GET /api/calibration": { query: Record<never, never>; body: null; answer: JobOut };
  /** Start a calibration, or let an interrupted one go on; one that cannot succeed is refused with the reason. */
  "POST /api/calibration": { query: Record<never, never>; body: CalibrateIn; answer: JobOut };
  /** End a calibration; what it trained so far is kept. */
  "POST /api/calibration/cancel": { query: Record<never, never>; body: NothingIn; answer: JobOut };
  /** Predict the clips again with the model that was chosen last. */
  "POST /api/calibration/predict": { query: Record<never, never>; body: NothingIn; answer: JobOut };
  /** Say whether enough is corrected to calibrate, and what is missing. */
  "GET /api/calibration/ready": { query: Record<never, never>; body: null; answer: ReadyOut };
  /** List the queue of joints. */
  "GET /api/clips/{clip}/alerts": { query: { order?: "worst" | "frame"; offset?: number; limit?: number; }; body: null; answer: AlertRowsOut };
  /** Say which frame of a run to look at next: the middle of the longest stretch that nobody decided. */
  "GET /api/clips/{clip}/bisect": { query: { person: number; joint: number; first: number; last: number; }; body: null; answer: BisectOut };
  /** Return other places that a joint may be meant to have. */
  "GET /api/clips/{clip}/candidates": { query: { frame: number; person: number; joint: number; }; body: null; answer: CandidatesOut };
  /** Return what two models predicted on a frame. */
  "GET /api/clips/{clip}/compare": { query: { frame: number; before?: string | null; after?: string | null; }; body: null; answer: CompareOut };
  /** Store one action, with what it propagates. */
  "POST /api/clips/{clip}/edits": { query: Record<never, never>; body: EditIn; answer: EditOut };
  /** List predicted frames with (m, n). */
  "GET /api/clips/{clip}/frames": { query: { order?: "worst" | "frame"; offset?: number; limit?: number; }; body: null; answer: FrameRowsOut };
  /** Return one frame as JPEG; its address with the clip's version never changes its meaning. */
  "GET /api/clips/{clip}/frames/{frame}": { query: Record<never, never>; body: null; answer: unknown };
  /** Return a square of a frame around a place, shrunk or enlarged to `size` pixels; grey beyond the border. */
  "GET /api/clips/{clip}/frames/{frame}/crop": { query: { x: number; y: number; side: number; size?: number; }; body: null; answer: unknown };
  /** Return a person in 3D, and where 2D and 3D do not fit together. before : also what a run predicted, by its id; ``current``: the one that is shown, before any correction. */
  "GET /api/clips/{clip}/lifted": { query: { frame: number; person: number; before?: string; }; body: null; answer: LiftedOut };
  /** Say which frame has the next open alert. */
  "GET /api/clips/{clip}/next": { query: { frame: number; step?: number; order?: "worst" | "frame"; }; body: null; answer: NextOut };
  /** Do something to a run of frames, as one action. */
  "POST /api/clips/{clip}/operations": { query: Record<never, never>; body: OperationIn; answer: EditOut };
  /** List the people of a clip. */
  "GET /api/clips/{clip}/people": { query: Record<never, never>; body: null; answer: PeopleOut };
  /** Delete, merge, restore or name people, as one action; the clip's alerts follow. */
  "POST /api/clips/{clip}/people": { query: Record<never, never>; body: PeopleIn; answer: EditOut };
  /** Add a person whom the detector missed, predicted in a box where the model can be asked, as one action. */
  "POST /api/clips/{clip}/persons": { query: Record<never, never>; body: NewcomerIn; answer: EditOut };
  /** Return frames first..last as they are now, and what the sender may take back. */
  "GET /api/clips/{clip}/poses": { query: { first: number; last: number; }; body: null; answer: FramesOut };
  /** Say what a fix would repair, without storing anything. */
  "POST /api/clips/{clip}/propagate": { query: Record<never, never>; body: PropagateIn; answer: PreviewOut };
  /** Bring back the action that the sender took back last. */
  "POST /api/clips/{clip}/redo": { query: Record<never, never>; body: StepIn; answer: EditOut };
  /** Say how far the newest run of a clip is. */
  "GET /api/clips/{clip}/review": { query: Record<never, never>; body: null; answer: ReviewOut };
  /** Say that a run is done (whoever corrects it), or checked or sent back (reviewers and owners). */
  "POST /api/clips/{clip}/review": { query: Record<never, never>; body: ReviewIn; answer: ReviewOut };
  /** List the clip's prediction runs. */
  "GET /api/clips/{clip}/runs": { query: Record<never, never>; body: null; answer: RunsOut };
  /** Return one joint over a run, for a contact sheet and its sparkline. */
  "GET /api/clips/{clip}/track": { query: { person: number; joint: number; first: number; last: number; }; body: null; answer: TrackOut };
  /** Take back the last action of the sender as a whole, whoever else acted since. */
  "POST /api/clips/{clip}/undo": { query: Record<never, never>; body: StepIn; answer: EditOut };
  /** Begin to decode what fixes of a person around a frame will need. */
  "POST /api/clips/{clip}/warm": { query: Record<never, never>; body: WarmIn; answer: WarmOut };
  /** Stream hello, edit, presence, job and run events; with `after`, or where a browser reconnects, missed edits. */
  "GET /api/events": { query: { page?: string; name?: string; browser?: string; after?: number | null; }; body: null; answer: unknown };
  /** Note where the sender's page is. */
  "POST /api/presence": { query: Record<never, never>; body: PresenceIn; answer: unknown };
  /** Say what the project holds. */
  "GET /api/project": { query: Record<never, never>; body: null; answer: ProjectOut };
  /** List runs of joints in the asked order. */
  "GET /api/queue": { query: { offset?: number; limit?: number; clip?: string[]; reason?: string[]; joint?: string[]; person?: number[]; state?: "open" | "confirmed" | "all"; order?: "value" | "severity" | "seconds" | "frame" | "frames" | "reason" | "joint" | "person"; down?: boolean; }; body: null; answer: QueueOut };
  /** Say where along a clip joints are flagged, and where they are confirmed; all of its runs count. */
  "GET /api/queue/density": { query: { clip: string; bins?: number; }; body: null; answer: DensityOut };
  /** Say what the work on the project took and brought so far, and what more of it is expected to bring. */
  "GET /api/queue/effort": { query: { author?: string | null; }; body: null; answer: EffortOut };
  /** Count what the filter lets through. */
  "GET /api/queue/facets": { query: { clip?: string[]; reason?: string[]; joint?: string[]; person?: number[]; state?: "open" | "confirmed" | "all"; order?: "value" | "severity" | "seconds" | "frame" | "frames" | "reason" | "joint" | "person"; down?: boolean; }; body: null; answer: FacetsOut };
  /** Say which run comes after the one that holds a place. */
  "GET /api/queue/next": { query: { step?: number; clip_at?: string | null; frame_at?: number | null; person_at?: number | null; joint_at?: number | null; clip?: string[]; reason?: string[]; joint?: string[]; person?: number[]; state?: "open" | "confirmed" | "all"; order?: "value" | "severity" | "seconds" | "frame" | "frames" | "reason" | "joint" | "person"; down?: boolean; }; body: null; answer: QueueNextOut };
}
