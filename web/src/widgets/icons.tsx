/** Small drawings: markers as on the picture, and signs on buttons. */

import { colourOf, OUTLINES } from "../canvas/palette";
import type { Mark } from "../pose/mark";

export function MarkIcon({ mark, colour, hollow = false }: { mark: Mark; colour: string; hollow?: boolean }) {
  return (
    <svg class="mark" viewBox="-1.7 -1.7 3.4 3.4" aria-hidden="true">
      <path d={OUTLINES[mark]} fill={hollow ? "none" : colour} stroke={hollow ? colour : "#101418"} stroke-width={hollow ? 0.45 : 0.22} />
    </svg>
  );
}

const SIGNS = {
  back: "M15 5l-7 7 7 7",
  ahead: "M9 5l7 7-7 7",
  undo: "M9 14L4 9l5-5M4 9h10a6 6 0 010 12h-3",
  redo: "M15 14l5-5-5-5M20 9H10a6 6 0 000 12h3",
  check: "M5 12.5l4.5 4.5L19 7",
  flag: "M5 21V4h12l-2.5 4L17 12H5",
  sheet: "M4 5h6v6H4zM14 5h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z",
  repair: "M3 17c4 0 4-10 9-10s5 10 9 10M12 3v8M9.5 5.5L12 3l2.500 2.5",
  cube: "M12 3l8 4.500v9L12 21l-8-4.500v-9zM12 12l8-4.500M12 12v9M12 12L4 7.500",
  model: "M4 20V10M10 20V4M16 20v-7M22 20H2",
  moon: "M20 14.500A8 8 0 019.500 4a8 8 0 1010.500 10.500z",
  keys: "M3 7h18v10H3zM7 10.500h.01M11 10.500h.01M15 10.500h.01M8 14h8",
  compare: "M12 3v18M4 7h5v10H4zM15 7h5v10h-5z",
  person: "M10 4a3 3 0 100 6 3 3 0 000-6zM4 20c0-4 2.500-7 6-7 1.500 0 2.800.5 3.800 1.400M18 13v8M14 17h8",
  people: "M9 5a3 3 0 100 6 3 3 0 000-6zM3 20c0-3.500 2.500-6 6-6s6 2.500 6 6M16 5.500a3 3 0 010 5.500M18 14c2 .8 3 3 3 6",
  filter: "M4 6h16M7 12h10M10 18h4",
  close: "M6 6l12 12M18 6L6 18",
};
export type SignName = keyof typeof SIGNS;

export function Sign({ name }: { name: SignName }) {
  return (
    <svg class="sign" viewBox="0 0 24 24" aria-hidden="true">
      <path d={SIGNS[name]} />
    </svg>
  );
}

export function PersonDot({ person }: { person: number }) {
  return <span class="dot" style={{ background: colourOf(person) }} title={`person ${person}`} />;
}

export function Counts({ lost, low }: { lost: number; low: number }) {
  return (
    <span class="counts" title={`${lost} joints lost, ${low} of low confidence`}>
      (<b class={lost ? "lost" : ""}>{lost}</b>, <b class={low ? "low" : ""}>{low}</b>)
    </span>
  );
}
