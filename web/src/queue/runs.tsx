/** The queue of the project: runs in the order and under the filters that are chosen. */

import { useState } from "preact/hooks";
import type { Editor } from "../editor/editor";
import { holds, type QueueQuery } from "../server/queue";
import type { Facets, Run } from "../server/types";
import { focusPicture } from "../widgets/focus";
import { PersonDot, Sign } from "../widgets/icons";
import { framesWords, percent, reasonWord, timeWords, WRONG, WRONG_TITLE } from "../widgets/words";
import { Filters } from "./filters";
import { VirtualList } from "./list";
import { narrowed, ORDERS } from "./query";

export function Queue({ editor, facets }: { editor: Editor; facets: Facets | null }) {
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
      <Heading editor={editor} />
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

/** Say whose runs the list holds, and what its numbers are. */
function Heading({ editor }: { editor: Editor }) {
  const { asked, clip, project } = editor;
  const all = project.clips.length > 1 && !asked.clip.length;
  return (
    <p class="heading">
      <b title={asked.clip.join(", ") || undefined}>{all ? "All clips" : asked.clip.join(", ") || clip.id}</b>
      {project.clips.length > 1 ? <button onClick={() => editor.narrowTo(all ? [clip.id] : [])}>{all ? "this clip" : "all clips"}</button> : null}
      <span class="side" title={WRONG_TITLE}>
        {WRONG}
      </span>
    </p>
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
      <span class="side" title={WRONG_TITLE}>
        {done ? "confirmed" : percent(run.severity)}
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
