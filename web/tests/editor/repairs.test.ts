import { describe, expect, it } from "vitest";
import { reachWords, spansWords } from "../../src/editor/repairs";
import type { Span } from "../../src/server/types";

const span = (over: Partial<Span> = {}): Span => ({ person: 0, joint: 5, first: 10, last: 20, changed: 0, before: "flow", after: "cut", ...over });
const run = { person: 0, joint: 5, first: 8, last: 60 };

describe("how far a fix reached", () => {
  it("is said with what ended it, and with the length of the run", () => {
    expect(reachWords([span({ changed: 7 })], "", run)).toBe("repaired 7 frames of 10–20, up to flow that disagrees and a cut (this run has 53 frames)");
    expect(reachWords([span({ changed: 1 })], "", null)).toBe("repaired 1 frame of 10–20, up to flow that disagrees and a cut");
  });

  it("is said where it reached nowhere", () => {
    const nowhere = "placed on this frame alone: no other frame was repaired, up to frames that agree already";
    expect(reachWords([span({ before: "agrees", after: "agrees" })], "", { ...run, joint: 6 })).toBe(nowhere);
    expect(reachWords([span()], "", run)).toBe("placed on this frame alone: no other frame was repaired, up to flow that disagrees and a cut (this run has 53 frames)");
    expect(reachWords([], "", run)).toBe("placed on this frame alone: no predictions around it to repair");
    expect(reachWords([], "IndexError: out of bounds", run)).toBe("placed on this frame alone: the frames around it could not be repaired (IndexError: out of bounds)");
  });

  it("tells of joints that follow", () => {
    expect(reachWords([span(), span({ joint: 7, changed: 3 })], "", null)).toBe("repaired 1 joint that moves with it");
    expect(spansWords([span({ changed: 2 })])).toBe("would repair 2 frames of 10–20, up to flow that disagrees and a cut");
  });
});
