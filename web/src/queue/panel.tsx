/** The panel of what to correct: the queue of the project, with filters, and the frames of the clip. */

import { useEffect, useState } from "preact/hooks";
import { api } from "../server/api";
import type { Editor } from "../editor/editor";
import { Counts, focusPicture, PersonDot, Sign } from "../widgets/icons";
import { framesWords, holds, narrowed, ORDERS, type QueueQuery, reasonWord, reasonWords, timeWords, toggled, WHOLE_QUEUE } from "../server/queue";
import type { Facets, FrameRow, Run } from "../server/types";
import { VirtualList } from "./list";

export function Lists({ editor }: { editor: Editor }) {
  const { list, clip } = editor;
  const facets = useFacets(editor);
  const choose = (each: "joints" | "frames") => {
    editor.list = each;
    editor.changed();
  };
  return (
    <section class="panel lists" aria-label="What to correct">
      <ClipChoice editor={editor} facets={facets} />
      <div class="tabs" role="tablist" aria-label="List">
        <button role="tab" aria-selected={list === "joints"} onClick={() => choose("joints")}>
          Queue <small>{facets?.open ?? ""}</small>
        </button>
        <button role="tab" aria-selected={list === "frames"} onClick={() => choose("frames")}>
          Frames <small>{clip.frames_predicted}</small>
        </button>
      </div>
      {list === "joints" ? <Queue editor={editor} facets={facets} /> : <FrameList editor={editor} />}
    </section>
  );
}

/** Counts of what is open, asked again a moment after something changed. */
function useFacets(editor: Editor): Facets | null {
  const [facets, setFacets] = useState<Facets | null>(null);
  const { edition, asked } = editor;
  useEffect(() => {
    const timer = setTimeout(() => void api.facets(asked.state).then(setFacets, () => {}), facets ? 250 : 400);
    return () => clearTimeout(timer);
  }, [edition, asked.state]);
  return facets;
}

function Queue({ editor, facets }: { editor: Editor; facets: Facets | null }) {
  const { asked, edition } = editor;
  const [filtering, setFiltering] = useState(false);
  const ask = (to: Partial<QueueQuery>) => {
    editor.asked = { ...editor.asked, ...to };
    editor.guide.outdate();
    editor.changed();
  };
  const chosen = ORDERS.findIndex(([order]) => order === asked.order);
  return (
    <>
      <div class="sort">
        <select
          aria-label="Sort"
          value={String(chosen)}
          onChange={(event) => {
            const [order, down] = ORDERS[Number(event.currentTarget.value)] ?? ORDERS[0]!;
            ask({ order, down });
          }}
        >
          {ORDERS.map(([order, , words], i) => (
            <option key={order} value={String(i)}>
              {words}
            </option>
          ))}
        </select>
        <button aria-expanded={filtering} aria-pressed={narrowed(asked) > 0} onClick={() => setFiltering(!filtering)}>
          <Sign name="filter" /> Filter{narrowed(asked) ? ` ${narrowed(asked)}` : ""}
        </button>
      </div>
      {filtering ? <Filters editor={editor} facets={facets} ask={ask} /> : null}
      <VirtualList<Run>
        label="Flagged joints"
        key={JSON.stringify(asked)}
        edition={edition}
        rowHeight={58}
        fetchPage={(offset, limit) => editor.guide.page(offset, limit)}
        row={(run) => <RunItem editor={editor} run={run} />}
        empty={narrowed(asked) ? "Nothing fits these filters." : "Nothing is flagged: every joint is sure or decided."}
      />
      {facets?.open ? (
        <p class="total">
          {facets.open} open, about {timeWords(facets.seconds)} of work
        </p>
      ) : null}
    </>
  );
}

function Filters({ editor, facets, ask }: { editor: Editor; facets: Facets | null; ask: (to: Partial<QueueQuery>) => void }) {
  const { asked, clip } = editor;
  const people = (facets?.persons ?? []).filter((each) => each.clip === clip.id);
  return (
    <div class="filters" role="group" aria-label="Filters">
      <Chips
        title="State"
        rows={(["open", "confirmed", "all"] as const).map((state) => [state, state, ""])}
        chosen={[asked.state]}
        pick={(state) => ask({ state })}
      />
      <Chips
        title="Reason"
        rows={Object.entries(facets?.reasons ?? {}).map(([reason, n]) => [reason, reasonWords(reason), n])}
        chosen={asked.reason}
        pick={(reason) => ask({ reason: toggled(asked.reason, reason) })}
      />
      <Chips
        title="Joint"
        rows={Object.entries(facets?.joints ?? {}).map(([joint, n]) => [joint, joint.replaceAll("_", " "), n])}
        chosen={asked.joint}
        pick={(joint) => ask({ joint: toggled(asked.joint, joint) })}
      />
      <Chips
        title={`Person in ${clip.id}`}
        rows={people.map(({ person, n }) => [person, `person ${person}`, n])}
        chosen={asked.person}
        pick={(person) => ask({ person: toggled(asked.person, person) })}
      />
      {editor.project.clips.length > 1 ? (
        <Chips
          title="Clip"
          rows={Object.entries(facets?.clips ?? {}).slice(0, 40).map(([id, n]) => [id, id, n])}
          chosen={asked.clip}
          pick={(id) => ask({ clip: toggled(asked.clip, id) })}
        />
      ) : null}
      <button onClick={() => ask({ ...WHOLE_QUEUE, order: asked.order, down: asked.down })} disabled={!narrowed(asked) && asked.state === "open"}>
        Show all again
      </button>
    </div>
  );
}

function Chips<T extends string | number>(given: {
  title: string;
  rows: [T, string, number | string][];
  chosen: readonly T[];
  pick: (value: T) => void;
}) {
  if (!given.rows.length) return null;
  return (
    <fieldset>
      <legend>{given.title}</legend>
      {given.rows.map(([value, words, n]) => (
        <button key={value} class="chip" aria-pressed={given.chosen.includes(value)} onClick={() => given.pick(value)}>
          {words} {n === "" ? null : <small>{n}</small>}
        </button>
      ))}
    </fieldset>
  );
}

function ClipChoice({ editor, facets }: { editor: Editor; facets: Facets | null }) {
  return (
    <label class="clip">
      <span>Clip</span>
      <select
        title="Open alerts, and the clip"
        value={editor.clip.id}
        onChange={(event) => {
          const clip = editor.clipOf(event.currentTarget.value);
          if (clip) void editor.openClip(clip);
        }}
      >
        {editor.project.clips.map((clip) => (
          <option key={clip.id} value={clip.id}>
            {facets?.clips[clip.id] ?? 0} · {clip.id}
          </option>
        ))}
      </select>
    </label>
  );
}

function RunItem({ editor, run }: { editor: Editor; run: Run }) {
  const current = holds(run, editor.clip.id, editor.person, editor.joint, editor.frame);
  const done = run.state === "confirmed";
  const elsewhere = run.clip !== editor.clip.id;
  return (
    <button
      class={`row run ${done ? "done" : ""}`}
      aria-current={current ? "true" : undefined}
      onClick={() => void editor.guide.open(run).then(focusPicture)}
    >
      <PersonDot person={run.person} />
      <span class="title">{run.name.replaceAll("_", " ")}</span>
      <span class="side" title="How probably the joint is wrong">
        {done ? "confirmed" : `${Math.round(run.severity * 100)} %`}
      </span>
      <span class="detail">
        <i class="chip">{reasonWord(run.reason)}</i> {framesWords(run)}
        {elsewhere ? ` · ${run.clip}` : ""}
        {run.done && !done ? ` · ${run.done} of ${run.total} done` : ""}
      </span>
      <span class="gauge" style={{ width: `${Math.round((done ? 1 : run.done / Math.max(run.total, 1)) * 100)}%` }} />
    </button>
  );
}

function FrameList({ editor }: { editor: Editor }) {
  const { clip, order, edition } = editor;
  return (
    <>
      <div class="sort">
        <select
          aria-label="Sort"
          value={order}
          onChange={(event) => {
            editor.order = event.currentTarget.value === "frame" ? "frame" : "worst";
            editor.changed();
          }}
        >
          <option value="worst">most lost and low joints first</option>
          <option value="frame">by frame</option>
        </select>
      </div>
      <VirtualList<FrameRow>
        label="Frames"
        key={`${clip.id}/${order}`}
        edition={edition}
        rowHeight={58}
        fetchPage={(offset, limit) => api.frames(clip.id, order, offset, limit)}
        row={(row) => <FrameItem editor={editor} row={row} />}
        empty="This clip is not predicted yet: run emc predict."
      />
    </>
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
