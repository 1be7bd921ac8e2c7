import { expect, it } from "vitest";
import { nobodyWords, personWords } from "../../src/people/panel";
import type { ListedPerson } from "../../src/server/types";

const person: ListedPerson = {
  person: 1, frames: 12, first: 3, last: 14, confidence: 0.834, corrected: 0, seen: 5, square: [10, 10, 20], counts: true, deleted: false, merged: [],
};

it("tells how long somebody is there, how sure the model is, and what was placed by hand", () => {
  expect(personWords(person, { frames: 24 })).toBe("12 of 24 frames (frames 3–14), mean confidence 0.83");
  expect(personWords({ ...person, confidence: null, corrected: 1, frames: 1, first: 3, last: 3 }, { frames: 24 })).toBe(
    "1 of 24 frames (frame 3), not predicted, 1 joint by hand",
  );
  expect(personWords({ ...person, frames: 0, corrected: 2 }, { frames: 24 })).toBe("on no frame, mean confidence 0.83, 2 joints by hand");
});

it("tells why nobody is there, and what can be done", () => {
  expect(nobodyWords({ model: null }, 0)).toContain("not predicted yet: run `emc predict`");
  expect(nobodyWords({ model: "nano" }, 0)).toMatch(/^Nobody was found in this clip. Draw a box/);
  expect(nobodyWords({ model: "nano" }, 2)).toBe("Everybody who was here is deleted.");
});
