/** The frames of the clip, as a list. */

import type { Editor } from "../editor/editor";
import { api } from "../server/api";
import type { FrameRow } from "../server/types";
import { focusPicture } from "../widgets/focus";
import { Counts } from "../widgets/icons";
import { VirtualList } from "./list";

export function FrameList({ editor }: { editor: Editor }) {
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
