/** Contact sheet: one joint over many frames on one screen. The wrong one shows; a click where the joint really is
 * places it there, Enter confirms the whole run. */

import { useEffect, useRef, useState } from "preact/hooks";
import { colourOf } from "../canvas/palette";
import type { Editor } from "../editor/editor";
import { extent } from "../pose/frame";
import { flagOf, markOf, wrongness } from "../pose/mark";
import { api } from "../server/api";
import { type Point, type Track, VISIBLE } from "../server/types";
import { Dialog } from "../widgets/dialog";
import { MarkIcon } from "../widgets/icons";
import { Spark } from "../widgets/spark";
import { framesWords, percent, reasonWords, WRONG } from "../widgets/words";
import { afterTrajectory, changedFrames, type Sheet, sheetOf, type Tile, tilesOf, tileWidth, trajectorySheet } from "./tiles";

const CROP = 256;
const TRIES = 4;
/** What of the screen a sheet's tiles have: the dialog without its head, lines and foot (see dialogs.css). */
const roomForTiles = (): [number, number] => [0.97 * window.innerWidth - 60, 0.95 * window.innerHeight - 235];

export function ContactSheet({ editor, trajectory = false }: { editor: Editor; trajectory?: boolean }) {
  const [sheet] = useState(() => {
    const { person, joint, run, frame, clip, pose } = editor;
    if (person === null || joint === null || !pose) return null;
    const box = extent(pose);
    const given = { person, joint, name: editor.jointName(joint), frame, frames: clip.frames, fps: clip.fps, size: Math.max(box?.width ?? 0, box?.height ?? 0) };
    return trajectory ? trajectorySheet(given) : sheetOf({ ...given, run });
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
      <Tiles editor={editor} sheet={sheet} trajectory={trajectory} />
    </Dialog>
  );
}

/** The joint's track as of an edition; an older answer never takes a newer one's place. */
function useTrack(editor: Editor, sheet: Sheet): { track: Track | null; busy: boolean } {
  const [held, hold] = useState<{ track: Track | null; edition: number }>({ track: null, edition: -1 });
  const { clip, edition } = editor;
  useEffect(() => {
    // A click needs the frames themselves too: until they are here the sheet is busy.
    const frames = editor.frames.fetchedRange(sheet.from, sheet.to);
    void editor.attempt(api.track(clip.id, sheet.person, sheet.joint, sheet.from, sheet.to)).then(async (track) => {
      await frames;
      if (track) hold((before) => (before.edition > edition ? before : { track, edition }));
    });
  }, [edition]);
  return { track: held.track, busy: held.edition !== edition };
}

/** Which tiles the last action changed: only these need another look. Small moves in a row count together. */
function useChanged(tiles: readonly Tile[], side: number): Set<number> {
  const held = useRef({ seen: new Map<number, Point | null>(), said: "", changed: new Set<number>() });
  const said = tiles.map(({ frame, xy }) => `${frame}:${xy}`).join();
  if (said !== held.current.said) {
    const { seen } = held.current;
    const changed = changedFrames(seen, tiles, side);
    held.current = { seen: new Map(tiles.map(({ frame, xy }) => [frame, changed.has(frame) ? xy : (seen.get(frame) ?? xy)])), said, changed };
  }
  return held.current.changed;
}

function Tiles({ editor, sheet, trajectory }: { editor: Editor; sheet: Sheet; trajectory: boolean }) {
  const { track, busy } = useTrack(editor, sheet);
  const grid = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState<number | null>(null);
  const boxOf = (frame: number) => editor.frames.get(frame)?.poses.find(({ person }) => person === sheet.person)?.box ?? null;
  const tiles = track ? tilesOf(track, sheet, boxOf) : [];
  const changed = useChanged(tiles, sheet.side);
  const count = sheet.last - sheet.first + 1;
  const confirm = () => {
    const { person, joint, first, last } = sheet;
    editor.corrections.confirmRun({ person, joint, first, last });
    if (trajectory) return void editor.nextTrajectory(afterTrajectory(sheet, editor.skeleton.joints.length, editor.clip.frames));
    editor.open(null);
    void editor.guide.next(1);
  };
  const open = async (tile: Tile) => {
    editor.open(null);
    await editor.go(tile.frame);
    editor.select(sheet.person, sheet.joint, true, "suspect");
  };
  const onKey = (event: KeyboardEvent) => {
    if ((event.target as HTMLElement).closest(".dialog-head")) return;
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
  // On the dialog, not on the tiles: a click beside them takes the focus away, and Enter must still confirm.
  useEffect(() => {
    const dialog = body.current?.closest("dialog");
    dialog?.addEventListener("keydown", onKey);
    return () => dialog?.removeEventListener("keydown", onKey);
  });
  useEffect(() => {
    const here = grid.current?.querySelector<HTMLElement>(`.tile[data-frame="${editor.frame}"]`) ?? grid.current?.querySelector<HTMLElement>(".tile");
    here?.focus();
  }, [tiles.length]);
  return (
    <div class="sheet-body" aria-busy={busy} ref={body}>
      <Trajectory tiles={tiles} chosen={chosen} />
      <div class="tiles" ref={grid} style={{ "--tile": `${tileWidth(tiles.length, ...roomForTiles())}px` }}>
        {tiles.map((tile, i) => (
          <TileItem key={tile.frame} editor={editor} sheet={sheet} tile={tile} changed={changed.has(tile.frame)} look={() => setChosen(i)} open={() => void open(tile)} />
        ))}
      </div>
      <p class="foot">
        <span class="soft">
          {sheet.run ? `${reasonWords(sheet.run.reason)}. ` : ""}
          {sheet.every > 1 ? `One frame in ${sheet.every}. ` : ""}
          Click where the joint really is; <kbd>Space</kbd> opens the frame; <kbd>Z</kbd> takes back.
        </span>
        <button class="strong" onClick={confirm}>
          Confirm {count === 1 ? "1 frame" : `${count} frames`} <kbd>Enter</kbd>
        </button>
      </p>
    </div>
  );
}

/** The joint's trajectory: x and y over the frames; an outlier is a spike. */
function Trajectory({ tiles, chosen }: { tiles: readonly Tile[]; chosen: number | null }) {
  const marks = tiles.flatMap(({ provenance }, at) => (provenance ? [{ at, kind: `by-${provenance}` }] : []));
  const along = (axis: 0 | 1) => tiles.map(({ xy }) => (xy ? (axis ? -xy[1] : xy[0]) : null));
  return (
    <div class="trajectory">
      <span>x</span>
      <Spark values={along(0)} marks={marks} chosen={chosen} wide={400} least={8} label="Horizontal place over the frames" />
      <span>y</span>
      <Spark values={along(1)} marks={marks} chosen={chosen} wide={400} least={8} label="Vertical place over the frames" />
    </div>
  );
}

/** Where in its cut a joint is, along one axis. */
const away = ({ xy, middle, side }: Tile, axis: 0 | 1) => `${50 + (100 * ((xy?.[axis] ?? 0) - middle[axis])) / side}%`;

function TileItem(given: { editor: Editor; sheet: Sheet; tile: Tile; changed: boolean; look: () => void; open: () => void }) {
  const { editor, sheet, tile, changed, look, open } = given;
  const { clip } = editor;
  const seen = { provenance: [tile.provenance], confidence: [tile.confidence] };
  const flag = flagOf(editor.frames.get(tile.frame), sheet.person, sheet.joint);
  const mark = markOf(seen, 0, editor.project, flag);
  const inRun = tile.frame >= sheet.first && tile.frame <= sheet.last;
  const click = (event: MouseEvent) => {
    if (event.detail === 0) return open();
    if (event.detail > 1) return; // The second half of a double click: the first one placed the joint.
    const box = (event.currentTarget as HTMLElement).querySelector("img")?.getBoundingClientRect();
    if (!box) return;
    const share = (at: number, start: number, length: number) => ((at - start) / length - 0.5) * tile.side;
    const place: Point = [tile.middle[0] + share(event.clientX, box.left, box.width), tile.middle[1] + share(event.clientY, box.top, box.height)];
    editor.corrections.placeOn(tile.frame, sheet.person, sheet.joint, place);
  };
  return (
    <button
      class={`tile ${inRun ? "" : "beside"} ${tile.outlier ? "outlier" : ""} ${changed ? "changed" : ""}`}
      data-frame={tile.frame}
      aria-label={`frame ${tile.frame}, ${percent(wrongness(seen, 0, flag))} ${WRONG}${tile.outlier ? ", jumps" : ""}: open`}
      onPointerEnter={look}
      onFocus={look}
      onClick={click}
    >
      <span class="crop">
        <Crop address={api.crop(clip.id, tile.frame, ...tile.middle, tile.side, CROP, clip.version)} />
        {tile.xy ? <i class="cross" style={{ "--person": colourOf(sheet.person), left: away(tile, 0), top: away(tile, 1) }} /> : null}
      </span>
      <span class="tile-foot">
        <MarkIcon mark={mark} colour={colourOf(sheet.person)} hollow={tile.visibility !== VISIBLE} /> {tile.frame}
      </span>
    </button>
  );
}

/** A crop of the frame; until it is here its place shimmers, and one that failed is asked for again. */
function Crop({ address }: { address: string }) {
  const [state, setState] = useState({ address, tries: 0, here: false });
  const { tries, here } = state.address === address ? state : { tries: 0, here: false };
  const failed = () => {
    if (tries < TRIES) setTimeout(() => setState({ address, tries: tries + 1, here: false }), 400 * 2 ** tries);
  };
  return (
    <img
      alt=""
      width={CROP}
      height={CROP}
      data-here={here ? "yes" : tries < TRIES ? "no" : "failed"}
      src={tries ? `${address}&again=${tries}` : address}
      onLoad={() => setState({ address, tries, here: true })}
      onError={failed}
    />
  );
}

function stepOf(key: string, grid: HTMLElement | null): number {
  const columns = grid ? getComputedStyle(grid).gridTemplateColumns.split(" ").length : 1;
  return { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key] ?? 0;
}
