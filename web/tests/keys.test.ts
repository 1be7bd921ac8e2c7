import { describe, expect, it } from "vitest";
import { actionOf, onlyOnPicture, SHEET } from "../src/keys";

const stroke = (key: string, held: Partial<Record<"shiftKey" | "altKey" | "ctrlKey" | "metaKey", boolean>> = {}) => ({
  key,
  shiftKey: false,
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  ...held,
});

describe("keys", () => {
  it.each([
    ["ArrowLeft", {}, { do: "nudge", dx: -1, dy: 0 }],
    ["ArrowDown", { shiftKey: true }, { do: "nudge", dx: 0, dy: 10 }],
    ["ArrowRight", { altKey: true }, { do: "nudge", dx: 0.1, dy: 0 }],
    ["Tab", {}, { do: "flag", step: 1 }],
    ["Tab", { shiftKey: true }, { do: "flag", step: -1 }],
    ["z", {}, { do: "undo" }],
    ["z", { ctrlKey: true }, { do: "undo" }],
    ["Z", { shiftKey: true }, { do: "redo" }],
    ["Z", { shiftKey: true, metaKey: true }, { do: "redo" }],
    ["y", { ctrlKey: true }, { do: "redo" }],
    [",", {}, { do: "frame", step: -1 }],
    [".", {}, { do: "frame", step: 1 }],
    ["V", {}, { do: "visibility" }],
    ["?", { shiftKey: true }, { do: "help" }],
    ["Enter", {}, { do: "confirmNext" }],
  ])("%s %o", (key, held, action) => {
    expect(actionOf(stroke(key, held))).toEqual(action);
  });

  it("leaves the browser its own keys", () => {
    for (const key of ["c", "f", "s", "0", "+"]) expect(actionOf(stroke(key, { ctrlKey: true }))).toBeNull();
    expect(actionOf(stroke("S", { shiftKey: true }))).toBeNull();
    expect(actionOf(stroke("a"))).toBeNull();
  });

  it("leaves Tab, arrows and Enter to the controls", () => {
    expect(onlyOnPicture({ do: "flag", step: 1 }, "Tab")).toBe(true);
    expect(onlyOnPicture({ do: "confirmNext" }, "Enter")).toBe(true);
    expect(onlyOnPicture({ do: "undo" }, "z")).toBe(false);
  });

  it("tells every letter that does something", () => {
    const told = SHEET.flatMap(({ rows }) => rows.flatMap(([keys]) => keys.map((key) => key.toLowerCase())));
    const letters = [..."abcdefghijklmnopqrstuvwxyz0123456789,.?"].filter((key) => actionOf(stroke(key)));
    expect(letters.filter((key) => !told.includes(key))).toEqual([]);
  });
});
