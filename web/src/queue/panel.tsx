/** The panel of what to correct: the clip, and under it the queue or the frames of the clip. */

import { useEffect, useState } from "preact/hooks";
import type { Editor } from "../editor/editor";
import { api } from "../server/api";
import type { Facets } from "../server/types";
import { FrameList } from "./frames";
import { Queue } from "./runs";

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
  const clips = asked.clip.join();
  useEffect(() => {
    const timer = setTimeout(() => void api.facets(asked.state, asked.clip).then(setFacets, () => {}), facets ? 250 : 400);
    return () => clearTimeout(timer);
  }, [edition, asked.state, clips]);
  return facets;
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
          if (!clip) return;
          editor.narrowTo([clip.id]);
          void editor.openClip(clip);
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
