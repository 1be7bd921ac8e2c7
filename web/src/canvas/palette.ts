/** Colours of persons and outlines of markers: the same on the canvas, in lists and in the legend. */

import type { Mark } from "../pose/mark";

/** Colours that people with any kind of colour blindness tell apart (M. Okabe and K. Ito, 2008, without black). */
export const PALETTE = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"];
export const colourOf = (person: number) => PALETTE[Math.max(person, 0) % PALETTE.length] as string;

/** Marker outlines for a radius of 1; the legend draws the same ones. */
export const OUTLINES: Record<Mark, string> = {
  disc: "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z",
  triangle: "M0-1.25L1.2.85H-1.2Z",
  cross: "M-1-.45L-.45-1L0-.5L.45-1L1-.45L.5 0L1 .45L.45 1L0 .5L-.45 1L-1 .45L-.5 0Z",
  hexagon: "M1.1 0L.55.95H-.55L-1.1 0L-.55-.95H.55Z",
  square: "M-.92-.92H.92V.92H-.92Z",
  diamond: "M0-1.3L1.3 0L0 1.3L-1.3 0Z",
};

export const INK = "#101418";
export const PAPER = "#ffffff";
