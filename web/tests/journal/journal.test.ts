import { afterEach, describe, expect, it, vi } from "vitest";
import { Journal, type JournalHost, keptChanges, verdict } from "../../src/journal/journal";
import type { Item } from "../../src/journal/outbox";
import { Away, Refused } from "../../src/server/api";
import type { Change, Clash } from "../../src/server/types";

const change = (joint: number): Change => ({ frame: 3, person: 0, joint, xy: [joint, 1], visibility: 2, provenance: 2, seen: 5 });
const clash = (joint: number, version: number): Clash => ({
  frame: 3,
  person: 0,
  joint,
  seen: 5,
  theirs: { xy: [9, 9], visibility: 2, provenance: 2, version, author: "Bo", kind: "drag", created: "" },
  yours: { xy: [joint, 1], visibility: 2, provenance: 2 },
});

describe("what remains of an action after a conflict", () => {
  const changes = [change(1), change(2), change(3)];
  const clashes = [clash(1, 8), clash(2, 9)];

  it("is all of it where one's own values hold, over what the other made", () => {
    expect(keptChanges(changes, clashes, clashes).map(({ joint, seen }) => [joint, seen])).toEqual([[1, 8], [2, 9], [3, 5]]);
  });

  it("is what nobody else touched where theirs hold", () => {
    expect(keptChanges(changes, clashes, []).map(({ joint }) => joint)).toEqual([3]);
  });

  it("is decided joint by joint", () => {
    expect(keptChanges(changes, clashes, [clash(2, 9)]).map(({ joint }) => joint)).toEqual([2, 3]);
  });
});

describe("what a failure means", () => {
  const edit: Item = { token: "1", clip: "kick", verb: "edits", edit: { kind: "place", changes: [change(1)], seconds: 1 } };
  const swap: Item = { token: "2", clip: "kick", verb: "operations", edit: null };

  it.each([
    ["nobody answers", new Away(), "passing"],
    ["the server is busy", new Refused(503, "busy"), "passing"],
    ["it was started anew", new Refused(401, "token"), "passing"],
    ["it fails on this action", new Refused(500, "IndexError"), "failing"],
    ["it does not answer in time", new Error("the server did not answer in time"), "failing"],
    ["the page itself fails", new TypeError("x is undefined"), "failing"],
    ["somebody else changed the joint", new Refused(409, "changed", [clash(1, 8)]), "park"],
    ["the token was used for something else", new Refused(409, "token"), "aside"],
    ["it cannot be", new Refused(422, "far outside"), "aside"],
  ])("where %s", (_, error, meant) => {
    expect(verdict(error, edit)).toBe(meant);
  });

  it("of people who are gone is that nothing is lost", () => {
    const people: Item = { token: "3", clip: "kick", verb: "people", edit: null, people: { action: "delete", persons: [9], seconds: 1 } };
    expect(verdict(new Refused(422, "no person 9"), people)).toBe("refused");
    expect(verdict(new Refused(500, "IndexError"), people)).toBe("failing");
  });

  it("of an operation that cannot be is that nothing is lost", () => {
    expect(verdict(new Refused(422, "nothing to mirror"), swap)).toBe("refused");
  });
});

describe("undo", () => {
  afterEach(() => vi.unstubAllGlobals());

  function opened(answer: (path: string) => number) {
    const sent: string[] = [];
    vi.stubGlobal("fetch", async (path: string, { body }: { body: string }) => {
      const verb = path.split("/").at(-1) as string;
      const status = answer(verb);
      sent.push(`${verb} ${status} ${Object.keys(JSON.parse(body) as object).includes("target")}`);
      const history = { undo: null, redo: null, last: 1 };
      return Response.json(status === 200 ? { id: 1, history, propagated: [], touched: null } : { error: "no" }, { status });
    });
    const told: string[] = [];
    const host = {
      clip: { id: "kick" },
      changed: () => {},
      stored: (item: Item) => void told.push(`stored ${item.verb}`),
      refused: (item: Item, why: string) => void told.push(`refused ${item.verb} ${why}`),
      dropped: (item: Item) => void told.push(`dropped ${item.verb}`),
      clashed: () => {},
      noted: () => {},
    } as unknown as JournalHost;
    const journal = new Journal(host, "key", "tab", null);
    const settled = async () => {
      for (let i = 0; i < 60; i += 1) await Promise.resolve();
    };
    return { journal, sent, told, settled };
  }

  it("asks for one's own last action, whatever the page shows, and says which one of this page it is", async () => {
    const { journal, sent, settled } = opened(() => 200);
    journal.history = { undo: { id: 99, kind: "drag" }, redo: null, last: 99 };
    journal.edit({ kind: "place", changes: [change(1)], seconds: 1 });
    await settled();
    expect(journal.takeBack("undo")?.edit?.changes[0]?.joint).toBe(1);
    expect(journal.takeBack("undo")).toBeNull();
    await settled();
    expect(sent).toEqual(["edits 200 false", "undo 200 false", "undo 200 false"]);
  });

  it("gives up an action that could not be stored, and sends nothing", async () => {
    let status = 200;
    const { journal, sent, told, settled } = opened(() => status);
    journal.edit({ kind: "place", changes: [change(1)], seconds: 1 });
    await settled();
    status = 422;
    journal.edit({ kind: "place", changes: [change(2)], seconds: 1 });
    await settled();
    expect(journal.setAside.map(({ aside }) => aside)).toEqual(["no"]);
    expect(journal.takeBack("undo")?.edit?.changes[0]?.joint).toBe(2);
    await settled();
    expect([journal.setAside, journal.saving]).toEqual([[], "saved"]);
    expect(told).toEqual(["stored edits", "refused edits no", "dropped edits"]);
    expect(sent).toHaveLength(2);
  });

  it("takes back what was said of whole people, in its turn", async () => {
    const { journal, sent, told, settled } = opened(() => 200);
    journal.edit({ kind: "place", changes: [change(1)], seconds: 1 });
    journal.changePeople({ action: "delete", persons: [1], seconds: 1 });
    await settled();
    expect(journal.takeBack("undo")?.people?.action).toBe("delete");
    expect(journal.takeBack("undo")?.edit?.changes[0]?.joint).toBe(1);
    await settled();
    expect(sent.map((each) => each.split(" ")[0])).toEqual(["edits", "people", "undo", "undo"]);
    expect(told.slice(0, 2)).toEqual(["stored edits", "stored people"]);
  });

  it("passes over an operation that could not be", async () => {
    let status = 200;
    const { journal, sent, settled } = opened(() => status);
    journal.edit({ kind: "place", changes: [change(1)], seconds: 1 });
    await settled();
    status = 422;
    journal.operate({ op: "mirror", person: 0, frame: 3, seconds: 1 });
    await settled();
    status = 200;
    expect(journal.takeBack("undo")?.edit?.changes[0]?.joint).toBe(1);
    await settled();
    expect(sent.at(-1)).toBe("undo 200 false");
  });
});
