/** What page and server say to each other, in the page's words. Coordinates are pixels of the original frame. */

import type * as wire from "./wire";

export type Order = "worst" | "frame";
export type State = wire.FrameOut["state"];
export type Point = [number, number];

export const ABSENT = 0;
export const OCCLUDED = 1;
export const VISIBLE = 2;
export const MODEL = 0;
export const PROPAGATED = 1;
export const HUMAN = 2;
export const CONFIRMED = 3;

export type Skeleton = wire.SkeletonOut;
export type Clip = wire.ClipOut;
export type Project = wire.ProjectOut;
export type Bands = Pick<Project, "lost" | "low">;
export type Flag = wire.FlagOut;
export type FrameRow = wire.FrameRowOut;
export type Pose = wire.PoseOut;
export type Frame = wire.FrameOut;
export type Step = wire.Step;
export type History = wire.HistoryOut;
export type Change = wire.ChangeIn;
export type Visibility = Change["visibility"];
/** How far a fix reached, and why no further. */
export type Span = wire.SpanOut;
export type Stop = Span["before"];
export type Ghost = wire.PreviewSpanOut;
export type Preview = wire.PreviewOut;
export type Stored = wire.EditOut;
export type Clash = wire.ConflictOut;
export type Value = Pick<wire.TheirsOut, "xy" | "visibility" | "provenance">;
export type Candidate = wire.CandidateOut;
/** A row of the queue: this joint of this person is probably wrong on frames first..last. */
export type Run = wire.QueueRowOut;
export type Facets = wire.FacetsOut;
export type Track = wire.TrackOut;
export type LadderStep = wire.LadderRowOut;
export type Job = wire.JobOut;
export type Side = wire.SideOut;
export type Compared = wire.CompareOut;
export type Lifted = wire.LiftedOut;
export type Operation = Omit<wire.OperationIn, "token">;
/** A person whom the detector missed, drawn as a box. */
export type Newcomer = Omit<wire.NewcomerIn, "token">;
/** What is said of whole people. */
export type PeopleAsked = Omit<wire.PeopleIn, "token">;
export type ListedPerson = wire.PersonRowOut;
export type ClipPeople = wire.PeopleOut;
export type Overlap = wire.OverlapOut;
export type Density = wire.DensityOut;
export type EffortSoFar = wire.EffortOut;
export type Ready = wire.ReadyOut;

/** Somebody who has the project open (events are not in the server's document). */
export interface Colleague {
  page: string;
  name: string;
  clip: string | null;
  frame: number | null;
  person: number | null;
  joint: number | null;
  since: string;
}

export interface Page<T> {
  total: number;
  rows: T[];
}

/** One joint of one person on one frame. */
export interface Place {
  frame: number;
  person: number;
  joint: number;
}
