/** Contact sheet: one joint over many frames on one screen. The wrong one shows; a click where the joint really is
 * places it there, Enter confirms the whole run. */

import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "./api";
import { Dialog } from "./dialog";
import type { Editor } from "./editor";
import { MarkIcon, Spark } from "./icons";
import { colourOf } from "./paint";
import { extent, markOf } from "./poses";
import { framesWords, reasonWords } from "./queue";
import { type Sheet, sheetOf, type Tile, tilesOf } from "./tiles";
import type { Point, Track } from "./types";
import { VISIBLE } from "./types";

const CROP = 256;

export function ContactSheet({ editor }: { editor: Editor }) {
  const [sheet] = useState(() => {
    const { person, joint, run, frame, clip, pose } = editor;
    if (person === null || joint === null || !pose) return null;
    const size = extent(pose);
    return sheetOf({ person, joint, run, frame, frames: clip.frames, size: Math.max(size?.width ?? 0, size?.height ?? 0) });
  });
  const close = () => editor.open(null);
  if (!sheet) {
    return (
      <Dialog title="Contact sheet" name="contact" close={close}>
        <p>Choose a joint first: click it, or press Tab for the next flagged one. Its frames then show here side by side.</p>
      </Dialog>
    );
  }
  return (
    <Dialog title={`${editor.jointName(sheet.joint)}, ${framesWords(sheet)}`} name="contact" close={close}>
      <Tiles editor={editor} sheet={sheet} />
    </Dialog>
  );
}

function useTrack(editor: Editor, sheet: Sheet): Track | null {
  const [track, setTrack] = useState<Track | null>(null);
  const { clip, edition } = editor;
  useEffect(() => {
    void editor.attempt(api.track(clip.id, sheet.person, sheet.joint, sheet.from, sheet.to)).then((found) => found && setTrack(found));
    void editor.frames.fetchedRange(sheet.from, sheet.to);
  }, [edition]);
  return track;
}

function Tiles({ editor, sheet }: { editor: Editor; sheet: Sheet }) {
  const track = useTrack(editor, sheet);
  const grid = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState<number | null>(null);
  const tiles = track ? tilesOf(track, sheet) : [];
  const count = sheet.last - sheet.first + 1;
  const confirm = () => {
    const { person, joint, first, last } = sheet;
    editor.corrections.confirmRun({ person, joint, first, last });
    editor.open(null);
    void editor.guide.next(1);
  };
  const open = async (tile: Tile) => {
    editor.open(null);
    await editor.go(tile.frame);
    editor.select(sheet.person, sheet.joint, true, "suspect");
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter") {
      event.preventDefault();
      return confirm();
    }
    if (event.key.toLowerCase() === "z") return editor.corrections.takeBack(event.shiftKey ? "redo" : "undo");
    const step = stepOf(event.key, grid.current);
    if (!step) return;
    event.preventDefault();
    const buttons = [...(grid.current?.querySelectorAll<HTMLElement>(".tile") ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    buttons[Math.min(Math.max(at + step, 0), buttons.length - 1)]?.focus();
  };
  useEffect(() => {
    const here = grid.current?.querySelector<HTMLElement>(`.tile[data-frame="${editor.frame}"]`) ?? grid.current?.querySelector<HTMLElement>(".tile");
    here?.focus();
  }, [tiles.length]);
  return (
    <div class="sheet-body" onKeyDown={onKey}>
      <Way tiles={tiles} chosen={chosen} />
      <div class="tiles" ref={grid} style={{ "--tile": `${tiles.length > 30 ? 140 : tiles.length > 18 ? 180 : 225}px` }}>
        {tiles.map((tile, i) => (
          <TileItem key={tile.frame} editor={editor} sheet={sheet} tile={tile} look={() => setChosen(i)} open={() => void open(tile)} />
        ))}
      </div>
      <p class="foot">
        <span class="soft">
          {sheet.run ? `${reasonWords(sheet.run.reason)}. ` : ""}
          {sheet.every > 1 ? `Every ${sheet.every}th frame. ` : ""}
          Click where the joint really is; <kbd>Space</kbd> opens the frame; <kbd>Z</kbd> takes back.
        </span>
        <button class="strong" onClick={confirm}>
          Confirm {count === 1 ? "1 frame" : `${count} frames`} <kbd>Enter</kbd>
        </button>
      </p>
    </div>
  );
}

/** The joint's way through the frames, sideways and up and down: an outlier is a spike. */
function Way({ tiles, chosen }: { tiles: readonly Tile[]; chosen: number | null }) {
  const marks = tiles.flatMap(({ provenance }, at) => (provenance ? [{ at, kind: `by-${provenance}` }] : []));
  const along = (axis: 0 | 1) => tiles.map(({ xy }) => (xy ? (axis ? -xy[1] : xy[0]) : null));
  return (
    <div class="way">
      <span>x</span>
      <Spark values={along(0)} marks={marks} chosen={chosen} wide={400} label="Horizontal place over the frames" />
      <span>y</span>
      <Spark values={along(1)} marks={marks} chosen={chosen} wide={400} label="Vertical place over the frames" />
    </div>
  );
}

function TileItem(given: { editor: Editor; sheet: Sheet; tile: Tile; look: () => void; open: () => void }) {
  const { editor, sheet, tile, look, open } = given;
  const { clip } = editor;
  const mark = markOf({ provenance: [tile.provenance], confidence: [tile.confidence] }, 0, editor.project);
  const inRun = tile.frame >= sheet.first && tile.frame <= sheet.last;
  const click = (event: MouseEvent) => {
    if (event.detail === 0) return open();
    const box = (event.currentTarget as HTMLElement).querySelector("img")?.getBoundingClientRect();
    if (!box) return;
    const share = (at: number, start: number, length: number) => ((at - start) / length - 0.5) * sheet.side;
    const place: Point = [tile.middle[0] + share(event.clientX, box.left, box.width), tile.middle[1] + share(event.clientY, box.top, box.height)];
    editor.corrections.placeOn(tile.frame, sheet.person, sheet.joint, place);
  };
  return (
    <button
      class={`tile ${inRun ? "" : "beside"} ${tile.outlier ? "outlier" : ""}`}
      data-frame={tile.frame}
      aria-label={`frame ${tile.frame}, ${Math.round(tile.confidence * 100)} % sure${tile.outlier ? ", jumps" : ""}: open`}
      onPointerEnter={look}
      onFocus={look}
      onClick={click}
    >
      <span class="crop">
        <img alt="" width={CROP} height={CROP} loading="lazy" src={api.crop(clip.id, tile.frame, ...tile.middle, sheet.side, CROP, clip.version)} />
        {tile.xy ? <i class="cross" style={{ "--person": colourOf(sheet.person) }} /> : null}
      </span>
      <span class="tile-foot">
        <MarkIcon mark={mark} colour={colourOf(sheet.person)} hollow={tile.visibility !== VISIBLE} /> {tile.frame}
      </span>
    </button>
  );
}

function stepOf(key: string, grid: HTMLElement | null): number {
  const columns = grid ? getComputedStyle(grid).gridTemplateColumns.split(" ").length : 1;
  return { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key] ?? 0;
}
