/** The panels beside the picture: what to correct, and the joints of the chosen person. */

import { api } from "./api";
import type { Editor } from "./editor";
import { colourOf, OUTLINES } from "./paint";
import { type Mark, markOf } from "./poses";
import type { AlertRow, Flag, FrameRow, Pose } from "./types";
import { ABSENT, CONFIRMED, HUMAN, OCCLUDED, PROPAGATED } from "./types";
import { VirtualList } from "./virtual";

const REASONS: Record<string, string> = {
  lost: "lost",
  low_confidence: "low confidence",
  jump: "jumps",
  swap: "left/right swapped",
  limb_ratio: "limb length",
};
const SHORT: Record<string, string> = { low_confidence: "low", swap: "swapped", limb_ratio: "limb" };
const reasonWords = (reason: string) => REASONS[reason] ?? reason.replaceAll("_", " ");
const VISIBILITY = ["absent", "occluded", "visible"];
const LEGEND: [Mark, string][] = [
  ["disc", "sure"],
  ["triangle", "low confidence"],
  ["cross", "lost"],
  ["square", "placed by hand"],
  ["diamond", "confirmed"],
];

export function MarkIcon({ mark, colour, hollow = false }: { mark: Mark; colour: string; hollow?: boolean }) {
  return (
    <svg class="mark" viewBox="-1.7 -1.7 3.4 3.4" aria-hidden="true">
      <path d={OUTLINES[mark]} fill={hollow ? "none" : colour} stroke={hollow ? colour : "#101418"} stroke-width={hollow ? 0.45 : 0.22} />
    </svg>
  );
}

export function Counts({ lost, low }: { lost: number; low: number }) {
  return (
    <span class="counts" title={`${lost} joints lost, ${low} of low confidence`}>
      (<b class={lost ? "lost" : ""}>{lost}</b>, <b class={low ? "low" : ""}>{low}</b>)
    </span>
  );
}

export function Lists({ editor }: { editor: Editor }) {
  const { clip, list, order, edition } = editor;
  const source = `${clip.id}/${list}/${order}`;
  return (
    <section class="panel lists" aria-label="What to correct">
      <ClipChoice editor={editor} />
      <div class="tabs" role="tablist" aria-label="List">
        {(["joints", "frames"] as const).map((each) => (
          <button
            key={each}
            role="tab"
            aria-selected={list === each}
            onClick={() => {
              editor.list = each;
              editor.changed();
            }}
          >
            {each === "joints" ? `Joints ${clip.alerts}` : `Frames ${clip.frames_predicted}`}
          </button>
        ))}
      </div>
      <label class="sort">
        Sort
        <select
          value={order}
          onChange={(event) => {
            editor.order = event.currentTarget.value === "frame" ? "frame" : "worst";
            editor.changed();
          }}
        >
          <option value="worst">worst first</option>
          <option value="frame">by frame</option>
        </select>
      </label>
      {list === "joints" ? (
        <VirtualList<AlertRow>
          label="Flagged joints"
          key={source}
          edition={edition}
          rowHeight={54}
          fetchPage={(offset, limit) => api.alerts(clip.id, order, offset, limit)}
          row={(alert) => <AlertItem editor={editor} alert={alert} />}
          empty={clip.model ? "No alert: the model is sure of every joint." : "This clip is not predicted yet: run emc predict."}
        />
      ) : (
        <VirtualList<FrameRow>
          label="Frames"
          key={source}
          edition={edition}
          rowHeight={54}
          fetchPage={(offset, limit) => api.frames(clip.id, order, offset, limit)}
          row={(row) => <FrameItem editor={editor} row={row} />}
          empty="This clip is not predicted yet: run emc predict."
        />
      )}
    </section>
  );
}

function ClipChoice({ editor }: { editor: Editor }) {
  return (
    <label class="clip">
      Clip
      <select
        value={editor.clip.id}
        onChange={(event) => {
          const clip = editor.project.clips.find((each) => each.id === event.currentTarget.value);
          if (clip) void editor.openClip(clip);
        }}
      >
        {editor.project.clips.map((clip) => (
          <option key={clip.id} value={clip.id}>
            {clip.id} ({clip.alerts} alerts)
          </option>
        ))}
      </select>
    </label>
  );
}

function AlertItem({ editor, alert }: { editor: Editor; alert: AlertRow }) {
  const here = editor.frame >= alert.first && editor.frame <= alert.last;
  const current = here && editor.person === alert.person && editor.joint === alert.joint;
  const done = alert.done >= alert.total;
  const open = async () => {
    if (!here) await editor.go(alert.first);
    editor.select(alert.person, alert.joint, !done);
    focusPicture();
  };
  return (
    <button class={`row ${done ? "done" : ""}`} aria-current={current ? "true" : undefined} onClick={() => void open()}>
      <span class="dot" style={{ background: colourOf(alert.person) }} title={`person ${alert.person}`} />
      <span class="title">{editor.jointName(alert.joint)}</span>
      <span class="side">{done ? "confirmed" : alert.done ? `${alert.done} of ${alert.total} done` : `${Math.round(alert.severity * 100)} %`}</span>
      <span class="detail">
        {reasonWords(alert.reason)} · {alert.first === alert.last ? `frame ${alert.first}` : `frames ${alert.first}–${alert.last}`}
      </span>
    </button>
  );
}

function FrameItem({ editor, row }: { editor: Editor; row: FrameRow }) {
  const names = [...new Set(row.flagged.map((flag) => editor.jointName(flag.joint)))];
  return (
    <button
      class={`row ${row.state === "confirmed" ? "done" : ""}`}
      aria-current={editor.frame === row.frame ? "true" : undefined}
      onClick={() => void editor.go(row.frame).then(focusPicture)}
    >
      <Counts lost={row.lost} low={row.low} />
      <span class="title">frame {row.frame}</span>
      <span class="side">{row.state === "open" ? "" : row.state}</span>
      <span class="detail">{names.length ? names.join(", ") : "nothing flagged"}</span>
    </button>
  );
}

export function Joints({ editor }: { editor: Editor }) {
  const { pose, now } = editor;
  return (
    <section class="panel joints" aria-label="Joints of the person">
      <div class="people" role="group" aria-label="Person">
        {(now?.poses ?? []).map((each) => (
          <button
            key={each.person}
            aria-pressed={each.person === editor.person}
            onClick={() => {
              editor.select(each.person, null);
              editor.moved("fit");
            }}
          >
            <span class="dot" style={{ background: colourOf(each.person) }} />
            Person {each.person}
          </button>
        ))}
        {now && !now.poses.length ? <p class="empty">No person was found on this frame.</p> : null}
      </div>
      {pose ? (
        <ul>
          {editor.skeleton.joints.map((_, joint) => (
            <JointItem key={joint} editor={editor} pose={pose} joint={joint} />
          ))}
        </ul>
      ) : null}
    </section>
  );
}

function JointItem({ editor, pose, joint }: { editor: Editor; pose: Pose; joint: number }) {
  const visibility = pose.visibility[joint] ?? ABSENT;
  const xy = pose.xy[joint];
  const mark = markOf(pose, joint, editor.project);
  const flag = editor.now?.flagged.find((each) => each.person === pose.person && each.joint === joint);
  return (
    <li>
      <button
        class={`row joint ${flag ? "flagged" : ""}`}
        data-joint={editor.skeleton.joints[joint]}
        data-xy={xy ? xy.join(" ") : ""}
        data-visibility={VISIBILITY[visibility]}
        aria-pressed={editor.joint === joint}
        onClick={() => {
          editor.select(pose.person, joint, true);
          focusPicture();
        }}
      >
        <MarkIcon mark={mark} colour={colourOf(pose.person)} hollow={visibility !== 2} />
        <span class="title">{editor.jointName(joint)}</span>
        <span class="side">{sideWords(pose, joint, flag)}</span>
      </button>
    </li>
  );
}

function sideWords(pose: Pose, joint: number, flag: Flag | undefined): string {
  const provenance = pose.provenance[joint] ?? 0;
  const visibility = pose.visibility[joint] ?? ABSENT;
  const by = { [CONFIRMED]: "confirmed", [HUMAN]: "by hand", [PROPAGATED]: "propagated" }[provenance];
  const seen = visibility === ABSENT ? "absent" : visibility === OCCLUDED ? "occluded" : "";
  // The marker tells who decided it; beside a longer word one sign is enough.
  if (seen && by) return provenance === CONFIRMED ? `${seen} ✓` : seen;
  if (by) return by;
  const sure = `${Math.round((pose.confidence[joint] ?? 0) * 100)} %`;
  return flag ? `${SHORT[flag.reason] ?? reasonWords(flag.reason)} ${sure}` : sure;
}

export function Legend() {
  return (
    <ul class="legend" aria-label="Legend">
      {LEGEND.map(([mark, words]) => (
        <li key={mark}>
          <MarkIcon mark={mark} colour="var(--legend)" /> {words}
        </li>
      ))}
      <li>
        <MarkIcon mark="disc" colour="var(--legend)" hollow /> occluded or absent
      </li>
      <li>
        <span class="dash" /> left side
      </li>
      <li>
        <span class="ring" /> flagged
      </li>
    </ul>
  );
}

export function focusPicture(): void {
  document.getElementById("picture")?.focus({ preventScroll: true });
}
