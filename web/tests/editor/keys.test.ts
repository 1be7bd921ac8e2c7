import { describe, expect, it } from "vitest";
import { GROUPS, Keys, nudgeOf, strokeOf } from "../../src/editor/keys";

const stroke = (key: string, held: Partial<Record<"shiftKey" | "altKey" | "ctrlKey" | "metaKey", boolean>> = {}) => ({
  key,
  shiftKey: false,
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  ...held,
});

function memory() {
  const held = new Map<string, string>();
  return { getItem: (key: string) => held.get(key) ?? null, setItem: (key: string, value: string) => void held.set(key, value) };
}

describe("keys", () => {
  it.each([
    ["ArrowLeft", {}, "left"],
    ["ArrowDown", { shiftKey: true }, "down"],
    ["ArrowRight", { altKey: true }, "right"],
    ["Tab", {}, "next"],
    ["Tab", { shiftKey: true }, "previous"],
    ["z", {}, "undo"],
    ["z", { ctrlKey: true }, "undo"],
    ["Z", { shiftKey: true }, "redo"],
    ["Z", { shiftKey: true, metaKey: true }, "redo"],
    ["y", { ctrlKey: true }, "redo"],
    [",", {}, "back"],
    [".", {}, "ahead"],
    ["V", {}, "visibility"],
    ["?", { shiftKey: true }, "help"],
    ["+", { shiftKey: true }, "zoomIn"],
    ["Enter", {}, "confirmNext"],
    ["Enter", { shiftKey: true }, "confirmRun"],
    ["s", {}, "swap"],
    ["S", { shiftKey: true }, "swapRun"],
    ["x", {}, "swapLimb"],
    ["i", {}, "identity"],
    ["3", {}, "candidate3"],
    ["g", {}, "carry"],
  ])("%s %o is %s", (key, held, id) => {
    expect(new Keys(null).command(stroke(key, held))?.id).toBe(id);
  });

  it("leave the browser its own", () => {
    const keys = new Keys(null);
    for (const key of ["c", "f", "s", "0", "+", "r"]) expect(keys.command(stroke(key, { ctrlKey: true }))).toBeNull();
    expect(keys.command(stroke("ArrowLeft", { ctrlKey: true }))).toBeNull();
    expect(keys.command(stroke("u"))).toBeNull();
  });

  it("that controls need work only on the picture", () => {
    const keys = new Keys(null);
    for (const key of ["Tab", "Enter", "ArrowUp"]) expect(keys.command(stroke(key))?.picture).toBe(true);
    expect(keys.command(stroke("z"))?.picture).toBeUndefined();
  });

  it("mean one thing each", () => {
    const all = GROUPS.flatMap(({ commands }) => commands.flatMap(({ keys }) => keys));
    expect(all.filter((key, i) => all.indexOf(key) !== i)).toEqual([]);
  });

  it("nudge in three sizes", () => {
    expect(nudgeOf("left", stroke("ArrowLeft"))).toEqual([-1, 0]);
    expect(nudgeOf("down", stroke("ArrowDown", { shiftKey: true }))).toEqual([0, 10]);
    expect(nudgeOf("right", stroke("ArrowRight", { altKey: true }))).toEqual([0.1, 0]);
    expect(nudgeOf("swap", stroke("s"))).toBeNull();
  });

  it("are written with Shift only where it is not in the sign already", () => {
    expect(strokeOf(stroke("?", { shiftKey: true }))).toBe("?");
    expect(strokeOf(stroke("a", { shiftKey: true }))).toBe("Shift+A");
    expect(strokeOf(stroke(" "))).toBe("Space");
  });
});

describe("chosen keys", () => {
  it("hold over reloads, and take the key from the command that had it", () => {
    const storage = memory();
    const before = new Keys(storage).choose("copy", "V");
    expect(before?.id).toBe("visibility");
    const keys = new Keys(storage);
    expect(keys.command(stroke("v"))?.id).toBe("copy");
    expect(keys.command(stroke("q"))).toBeNull();
    expect(keys.of("visibility")).toEqual([]);
    keys.reset();
    expect(new Keys(storage).command(stroke("v"))?.id).toBe("visibility");
  });

  it("that cannot be read are the usual ones", () => {
    expect(new Keys({ getItem: () => "{", setItem: () => {} }).command(stroke("v"))?.id).toBe("visibility");
  });
});
