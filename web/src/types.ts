/** What the server says; see src/emc/server/schemas.py. Coordinates are pixels of the original frame. */

export type Order = "worst" | "frame";
export type State = "open" | "changed" | "confirmed";
export type Point = [number, number];

export const ABSENT = 0;
export const OCCLUDED = 1;
export const VISIBLE = 2;
export const MODEL = 0;
export const PROPAGATED = 1;
export const HUMAN = 2;
export const CONFIRMED = 3;

export interface Skeleton {
  joints: string[];
  limbs: [number, number][];
  flip: number[];
}

export interface Clip {
  id: string;
  role: string;
  group: string;
  frames: number;
  width: number;
  height: number;
  fps: number;
  version: string;
  model: string | null;
  skeleton: string;
  alerts: number;
  frames_predicted: number;
}

export interface Bands {
  lost: number;
  low: number;
}

export interface Project extends Bands {
  name: string;
  key: string;
  emc: string;
  clips: Clip[];
  skeletons: Record<string, Skeleton>;
}

export interface Flag {
  person: number;
  joint: number;
  reason: string;
  severity: number;
}

export interface FrameRow {
  frame: number;
  lost: number;
  low: number;
  state: State;
  flagged: Flag[];
}

export interface AlertRow extends Flag {
  first: number;
  last: number;
  done: number;
  total: number;
}

export interface Page<T> {
  total: number;
  rows: T[];
}

export interface Pose {
  person: number;
  box: [number, number, number, number] | null;
  xy: (Point | null)[];
  visibility: number[];
  provenance: number[];
  confidence: number[];
}

export interface Frame extends FrameRow {
  poses: Pose[];
}

export interface Step {
  id: number;
  kind: string;
}

export interface History {
  undo: Step | null;
  redo: Step | null;
}

export interface Frames {
  frames: Frame[];
  history: History;
}

export interface Change {
  frame: number;
  person: number;
  joint: number;
  xy: Point | null;
  visibility: number;
  provenance: number;
}

export interface Stored {
  id: number | null;
  kind: string;
  frames: Frame[];
  history: History;
}
