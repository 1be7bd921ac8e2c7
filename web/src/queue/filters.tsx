/** What of the queue is shown: by state, reason, joint, person and clip. */

import type { Editor } from "../editor/editor";
import { type QueueQuery, WHOLE_QUEUE } from "../server/queue";
import type { Facets } from "../server/types";
import { reasonWords } from "../widgets/words";
import { narrowed, toggled } from "./query";

export function Filters({ editor, facets, ask }: { editor: Editor; facets: Facets | null; ask: (to: Partial<QueueQuery>) => void }) {
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
