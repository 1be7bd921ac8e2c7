import { describe, expect, it } from "vitest";
import { PALETTE } from "../../src/canvas/palette";

type Colour = [number, number, number];

/** How colours look without one kind of cone (G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, 2009, severity 1), on linear RGB. */
const SEEN: Record<string, number[][]> = {
  "full colour vision": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

const linear = (hex: string): Colour =>
  [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as Colour;

const times = (matrix: number[][], colour: Colour) =>
  matrix.map((row) => row.reduce((sum, weight, i) => sum + weight * (colour[i] ?? 0), 0)) as Colour;

/** Oklab (B. Ottosson, 2020): distances in it are close to what eyes tell apart. */
function oklab(colour: Colour): Colour {
  const clamped = colour.map((value) => Math.min(Math.max(value, 0), 1)) as Colour;
  const cones = times([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]], clamped);
  return times([[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]], cones.map(Math.cbrt) as Colour);
}

/** Return the least distance of any two colours as some eyes see them. */
function least(palette: readonly string[], seen: number[][]): number {
  const seenAs = palette.map((hex) => oklab(times(seen, linear(hex))));
  const apart = seenAs.flatMap((a, i) => seenAs.slice(i + 1).map((b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])));
  return Math.min(...apart);
}

describe("the colours of persons", () => {
  it.each(Object.entries(SEEN))("are told apart with %s", (_, seen) => {
    // 0.02 is about what can just be told apart side by side (Oklab); markers are small and apart, so three times that.
    expect(least(PALETTE, seen)).toBeGreaterThan(0.06);
  });

  it("would not be, were they the usual red and green", () => {
    expect(least(["#d62728", "#8c7a10"], SEEN.deuteranopia as number[][])).toBeLessThan(0.1);
    expect(least(["#d62728", "#8c7a10"], SEEN["full colour vision"] as number[][])).toBeGreaterThan(0.15);
  });
});
