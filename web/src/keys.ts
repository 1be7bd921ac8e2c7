/** Keys and what they do; the key sheet shows the same table. */

export type Action =
  | { do: "nudge"; dx: number; dy: number }
  | { do: "flag"; step: 1 | -1 }
  | { do: "frame"; step: 1 | -1 }
  | { do: "zoom"; factor: number }
  | { do: "visibility" | "swap" | "confirm" | "confirmNext" | "undo" | "redo" | "fit" | "fitFrame" }
  | { do: "person" | "arm" | "hide" | "list" | "help" | "escape" };

export interface Stroke {
  key: string;
  shiftKey: boolean;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
}

const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

const PLAIN: Record<string, Action> = {
  ",": { do: "frame", step: -1 },
  ".": { do: "frame", step: 1 },
  "+": { do: "zoom", factor: 1.25 },
  "=": { do: "zoom", factor: 1.25 },
  "-": { do: "zoom", factor: 0.8 },
  "0": { do: "fitFrame" },
  v: { do: "visibility" },
  s: { do: "swap" },
  c: { do: "confirm" },
  f: { do: "fit" },
  n: { do: "person" },
  p: { do: "arm" },
  h: { do: "hide" },
  l: { do: "list" },
  "?": { do: "help" },
  Enter: { do: "confirmNext" },
  Escape: { do: "escape" },
};

/** Return what a key does, null where it does nothing here. */
export function actionOf(stroke: Stroke): Action | null {
  const { key, shiftKey, altKey } = stroke;
  const held = stroke.ctrlKey || stroke.metaKey;
  if (key.toLowerCase() === "z" && !altKey) return { do: shiftKey ? "redo" : "undo" };
  if (held) return key.toLowerCase() === "y" ? { do: "redo" } : null;
  const arrow = ARROWS[key];
  if (arrow) {
    const pixels = altKey ? 0.1 : shiftKey ? 10 : 1;
    return { do: "nudge", dx: arrow[0] * pixels, dy: arrow[1] * pixels };
  }
  if (altKey) return null;
  if (key === "Tab") return { do: "flag", step: shiftKey ? -1 : 1 };
  return PLAIN[key] ?? (shiftKey ? null : PLAIN[key.toLowerCase()]) ?? null;
}

/** Keys that must keep their usual meaning where a control, and not the picture, has the focus. */
export function onlyOnPicture(action: Action, key: string): boolean {
  return action.do === "nudge" || action.do === "flag" || key === "Enter";
}

export const SHEET: { title: string; rows: [string[], string][] }[] = [
  {
    title: "Go",
    rows: [
      [["Tab"], "next flagged joint (Shift: previous); after the last one, the next flagged frame"],
      [[",", "."], "previous, next frame"],
      [["N"], "next person"],
      [["F"], "fit the person"],
      [["0"], "fit the whole frame"],
      [["+", "-"], "zoom (or the wheel; drag on empty space pans)"],
      [["H"], "hide or show the skeletons"],
    ],
  },
  {
    title: "Correct",
    rows: [
      [["drag"], "move a joint"],
      [["click"], "place the joint that waits for it, and go on to the next flagged one"],
      [["P"], "let the active joint wait for a click"],
      [["arrows"], "nudge by 1 px (Shift 10, Alt 0.1)"],
      [["V"], "visible, occluded but placed, absent"],
      [["S"], "swap left and right of the whole body on this frame"],
    ],
  },
  {
    title: "Decide",
    rows: [
      [["C"], "confirm all joints of the frame"],
      [["Enter"], "confirm, and go to the next flagged frame"],
      [["Z"], "undo (Shift: redo); kept over reloads"],
      [["L"], "show joints or frames in the list"],
      [["Esc"], "stop placing; then leave the picture for the list"],
      [["?"], "this sheet"],
    ],
  },
];
