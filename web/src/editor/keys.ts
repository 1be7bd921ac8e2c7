/** What keys do. A stroke is written "Shift+S", "Tab", "Alt+ArrowLeft"; who works here may choose other keys. */

export interface Stroke {
  key: string;
  shiftKey: boolean;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
}

export interface Command {
  id: string;
  words: string;
  keys: string[];
  /** Works only while the picture has the focus: elsewhere the key keeps its usual meaning. */
  picture?: true;
}

const go: Command[] = [
  { id: "next", words: "next flagged joint", keys: ["Tab"], picture: true },
  { id: "previous", words: "previous flagged joint", keys: ["Shift+Tab"], picture: true },
  { id: "back", words: "previous frame", keys: [",", "A"] },
  { id: "ahead", words: "next frame", keys: [".", "D"] },
  { id: "play", words: "play the clip, or stop", keys: ["Space"], picture: true },
  { id: "bisect", words: "middle of the widest gap between decided frames (bisection)", keys: ["B"] },
  { id: "person", words: "next person", keys: ["N"] },
  { id: "fit", words: "fit the person", keys: ["F"] },
  { id: "fitFrame", words: "fit the whole frame", keys: ["0"] },
  { id: "zoomIn", words: "zoom in (or the wheel; drag on empty space pans)", keys: ["+", "="] },
  { id: "zoomOut", words: "zoom out", keys: ["-"] },
];

const correct: Command[] = [
  { id: "arm", words: "let the active joint wait for a click", keys: ["P", "W"] },
  { id: "carry", words: "hold: the active joint follows the pointer", keys: ["G"] },
  { id: "carryBody", words: "hold: the whole person follows the pointer", keys: ["Shift+G"] },
  { id: "left", words: "nudge left by 1 px (Shift 10, Alt 0.1)", keys: ["ArrowLeft"], picture: true },
  { id: "right", words: "nudge right", keys: ["ArrowRight"], picture: true },
  { id: "up", words: "nudge up", keys: ["ArrowUp"], picture: true },
  { id: "down", words: "nudge down", keys: ["ArrowDown"], picture: true },
  { id: "visibility", words: "visible, occluded but placed, absent (the place is kept)", keys: ["V"] },
  { id: "candidate1", words: "accept candidate 1", keys: ["1"] },
  { id: "candidate2", words: "accept candidate 2", keys: ["2"] },
  { id: "candidate3", words: "accept candidate 3", keys: ["3"] },
  { id: "candidate4", words: "accept candidate 4", keys: ["4"] },
  { id: "copy", words: "copy the active joint from the frame before", keys: ["Q"] },
  { id: "copyBody", words: "copy the whole person from the frame before", keys: ["Shift+Q"] },
  { id: "mirror", words: "mirror the active limb from the other side", keys: ["M"] },
];

const runs: Command[] = [
  { id: "swap", words: "swap left and right of the body on this frame", keys: ["S"] },
  { id: "swapRun", words: "swap left and right of the body from here on", keys: ["Shift+S"] },
  { id: "swapLimb", words: "swap left and right of the limb on this frame", keys: ["X"] },
  { id: "swapLimbRun", words: "swap left and right of the limb from here on", keys: ["Shift+X"] },
  { id: "visibilityRun", words: "give this joint's visibility to the rest of its run (no run: from here on)", keys: ["Shift+V"] },
  { id: "newPerson", words: "add a person whom the detector missed: draw a box (again: in the middle of the view)", keys: ["Shift+N"] },
  { id: "identity", words: "swap two persons from here on", keys: ["I"] },
  { id: "propagate", words: "repair the run from the joints placed by hand: preview, again: accept", keys: ["R"] },
  { id: "confirmRun", words: "confirm the active joint on its whole run", keys: ["Shift+Enter"], picture: true },
  { id: "sheet", words: "check a run by contact sheet", keys: ["E"] },
  { id: "whole", words: "check the whole trajectory of each joint by contact sheet", keys: ["Shift+E"] },
];

const decide: Command[] = [
  { id: "confirm", words: "confirm all joints of the frame", keys: ["C"] },
  { id: "confirmNext", words: "confirm, and go to the next flagged frame", keys: ["Enter"], picture: true },
  { id: "undo", words: "undo; kept over reloads and restarts", keys: ["Z", "Ctrl+Z"] },
  { id: "redo", words: "redo", keys: ["Shift+Z", "Ctrl+Shift+Z", "Ctrl+Y"] },
];

const show: Command[] = [
  { id: "hide", words: "hide or show the skeletons", keys: ["H"] },
  { id: "list", words: "joints or frames in the list", keys: ["L"] },
  { id: "scene", words: "3D panel", keys: ["T"] },
  { id: "people", words: "people of the clip: delete, merge, name the athlete", keys: ["Shift+P"] },
  { id: "compare", words: "before and after calibration", keys: ["K"] },
  { id: "help", words: "this sheet", keys: ["?"] },
  { id: "escape", words: "stop what waits; then leave the picture for the list", keys: ["Escape"] },
];

export const GROUPS: { title: string; commands: Command[] }[] = [
  { title: "Go", commands: go },
  { title: "Correct a joint", commands: correct },
  { title: "Correct a run", commands: runs },
  { title: "Decide", commands: decide },
  { title: "Show", commands: show },
];
const COMMANDS = GROUPS.flatMap(({ commands }) => commands);

/** Return a stroke in words; Shift is left out where it only makes the sign ("?"), Alt and Ctrl never are. */
export function strokeOf({ key, shiftKey, altKey, ctrlKey, metaKey }: Stroke): string {
  const letter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
  const name = letter ? key.toUpperCase() : key === " " ? "Space" : key;
  const shift = shiftKey && (letter || key.length > 1);
  return [ctrlKey || metaKey ? "Ctrl" : "", altKey ? "Alt" : "", shift ? "Shift" : "", name].filter(Boolean).join("+");
}

const NUDGES = ["left", "right", "up", "down"];

export class Keys {
  private chosen: Record<string, string[]> = {};

  constructor(private readonly storage: Pick<Storage, "getItem" | "setItem"> | null) {
    try {
      this.chosen = JSON.parse(storage?.getItem("emc.keys") ?? "{}") as Record<string, string[]>;
    } catch {
      // Not ours, or cut off: the usual keys.
    }
  }

  /** Return the strokes of a command. */
  of(id: string): string[] {
    return this.chosen[id] ?? COMMANDS.find((command) => command.id === id)?.keys ?? [];
  }

  /** Return what a stroke does, null where it does nothing. Arrows nudge with Shift and Alt too. */
  command(stroke: Stroke): Command | null {
    const said = strokeOf(stroke);
    const exact = COMMANDS.find((command) => this.of(command.id).includes(said));
    if (exact || stroke.ctrlKey || stroke.metaKey) return exact ?? null;
    // A keyboard event cannot be spread: its fields are not its own.
    const bare = strokeOf({ key: stroke.key, shiftKey: false, altKey: false, ctrlKey: false, metaKey: false });
    return COMMANDS.find((command) => NUDGES.includes(command.id) && this.of(command.id).includes(bare)) ?? null;
  }

  /** Give a command another key; a command that had it loses it and is returned. */
  choose(id: string, stroke: string): Command | null {
    const before = COMMANDS.find((command) => command.id !== id && this.of(command.id).includes(stroke)) ?? null;
    if (before) this.chosen[before.id] = this.of(before.id).filter((each) => each !== stroke);
    this.chosen[id] = [stroke];
    this.keep();
    return before;
  }

  /** Give all commands their usual keys again. */
  reset(): void {
    this.chosen = {};
    this.keep();
  }

  private keep(): void {
    try {
      this.storage?.setItem("emc.keys", JSON.stringify(this.chosen));
    } catch {
      // Without storage the choice lasts until the page is left.
    }
  }
}

/** Return by how many pixels of the frame an arrow moves a joint, null for other commands. */
export function nudgeOf(id: string, { shiftKey, altKey }: Stroke): [number, number] | null {
  const pixels = altKey ? 0.1 : shiftKey ? 10 : 1;
  const steps: Record<string, [number, number]> = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };
  const step = steps[id];
  return step ? [step[0] * pixels, step[1] * pixels] : null;
}
