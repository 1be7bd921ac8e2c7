import { describe, expect, it, vi } from "vitest";
import { type Carrier, type Item, type Kept, Outbox } from "../../src/journal/outbox";

const item = (token: string): Item => ({
  token,
  clip: "kick",
  verb: "edits",
  edit: { kind: "drag", seconds: 1, changes: [{ frame: 1, person: 0, joint: 2, xy: [1, 2], visibility: 2, provenance: 2 }] },
});
const undo = (token: string): Item => ({ token, clip: "kick", verb: "undo", edit: null });

function memory(): Kept {
  const held = new Map<string, string>();
  return {
    get length() {
      return held.size;
    },
    key: (i) => [...held.keys()][i] ?? null,
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => void held.set(key, value),
    removeItem: (key) => void held.delete(key),
  };
}

function carrier(send: (item: Item) => Promise<string>) {
  const told: string[] = [];
  const made: Carrier<string> = {
    send,
    verdict: (error) => (({ away: "passing", both: "park", fault: "failing", wrong: "aside" }) as const)[(error as Error).message as "away"] ?? "refused",
    stored: (sent, answer) => void told.push(`stored ${sent.token} ${answer}`),
    refused: (sent) => void told.push(`refused ${sent.token}`),
    cancelled: (sent) => void told.push(`cancelled ${sent.token}`),
    changed: (saving, waiting) => void told.push(`${saving} ${waiting}`),
  };
  return { made, told };
}

const settled = async () => {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
};

describe("the outbox", () => {
  it("sends one after the other, in order", async () => {
    const { made, told } = carrier(async (sent) => `ok-${sent.token}`);
    const outbox = new Outbox(made, "box", "a", memory());
    outbox.push(item("1"));
    outbox.push(item("2"));
    await settled();
    expect(told).toEqual(["saving 1", "stored 1 ok-1", "saving 1", "stored 2 ok-2", "saved 0"]);
  });

  it("keeps what is not stored in the storage, and the next page sends it", async () => {
    const storage = memory();
    const away = new Outbox(carrier(() => Promise.reject(new Error("away"))).made, "box", "a", storage);
    away.push(item("1"));
    await settled();
    expect(away.pending("kick")).toHaveLength(1);
    const sent: string[] = [];
    const { made } = carrier(async (each) => String(sent.push(each.token)));
    const next = new Outbox(made, "box", "b", storage);
    await next.run();
    expect(sent).toEqual(["1"]);
    expect(storage.length).toBe(0);
  });

  it("tries again until the server is back, and says so", async () => {
    vi.useFakeTimers();
    let failures = 2;
    const { made, told } = carrier(() => (failures-- > 0 ? Promise.reject(new Error("away")) : Promise.resolve("ok")));
    const outbox = new Outbox(made, "box", "a", memory());
    outbox.push(item("1"));
    await vi.advanceTimersByTimeAsync(5000);
    vi.useRealTimers();
    expect(told).toEqual(["saving 1", "retrying 1", "retrying 1", "stored 1 ok", "saved 0"]);
  });

  it("drops what the server refuses, and goes on", async () => {
    const { made, told } = carrier((each) => (each.token === "1" ? Promise.reject(new Error("no")) : Promise.resolve("ok")));
    const outbox = new Outbox(made, "box", "a", memory());
    outbox.push(item("1"));
    outbox.push(item("2"));
    await settled();
    expect(told).toContain("refused 1");
    expect(told).toContain("stored 2 ok");
    expect(outbox.waiting).toBe(0);
  });

  it("works without a storage, and with one that is full", async () => {
    const full = { ...memory(), setItem: () => { throw new Error("full"); } } as Kept;
    for (const storage of [null, full]) {
      const { made, told } = carrier(async () => "ok");
      new Outbox(made, "box", "a", storage).push(item("1"));
      await settled();
      expect(told.at(-1)).toBe("saved 0");
    }
  });

  it("keeps an action that a person must decide on, over a reload too, and goes on with the next", async () => {
    const storage = memory();
    const { made, told } = carrier(async (sent) => {
      if (sent.token === "1") throw new Error("both");
      return "ok";
    });
    const outbox = new Outbox(made, "box", "a", storage);
    const asked = item("1");
    outbox.push(asked);
    outbox.push(item("2"));
    await settled();
    expect(told).toEqual(["saving 1", "refused 1", "saving 2", "stored 2 ok", "asking 1"]);
    expect(new Outbox(carrier(async () => "ok").made, "box", "b", storage).waiting).toBe(1);
    outbox.decided(asked);
    expect(outbox.waiting).toBe(0);
    expect(told.at(-1)).toBe("saved 0");
  });

  it("sets an action aside that fails by itself a few times, and the others go on", async () => {
    vi.useFakeTimers();
    const sent: string[] = [];
    const { made, told } = carrier(async (each) => {
      sent.push(each.token);
      if (each.token === "1") throw new Error("fault");
      return "ok";
    });
    const storage = memory();
    const outbox = new Outbox(made, "box", "a", storage);
    outbox.push(item("1"));
    outbox.push(item("2"));
    await vi.advanceTimersByTimeAsync(10_000);
    vi.useRealTimers();
    expect(sent).toEqual(["1", "1", "1", "1", "2"]);
    expect(told.slice(-4)).toEqual(["refused 1", "saving 2", "stored 2 ok", "aside 1"]);
    expect(outbox.setAside.map(({ token, aside }) => [token, aside])).toEqual([["1", "fault"]]);
    expect(outbox.pending("kick")).toEqual([]);
    // A reload keeps it where it is: it is not sent again by itself.
    const { made: later, told: toldLater } = carrier(async () => "ok");
    const next = new Outbox(later, "box", "b", storage);
    await next.run();
    expect(toldLater).toEqual(["aside 1"]);
    next.again(next.setAside[0] as Item);
    await settled();
    expect(toldLater.slice(-2)).toEqual(["stored 1 ok", "saved 0"]);
    expect(storage.length).toBe(0);
  });

  it("lets go of an action that was set aside", async () => {
    const { made, told } = carrier(() => Promise.reject(new Error("wrong")));
    const storage = memory();
    const outbox = new Outbox(made, "box", "a", storage);
    outbox.push(item("1"));
    await settled();
    expect(told).toEqual(["saving 1", "refused 1", "aside 1"]);
    outbox.give(outbox.setAside[0] as Item);
    expect([told.at(-1), storage.length]).toEqual(["saved 0", 0]);
  });

  it("does not count against an action that the server was away", async () => {
    vi.useFakeTimers();
    const answers = ["away", "fault", "away", "fault", "away", "fault", "away"];
    const { made, told } = carrier(() => {
      const next = answers.shift();
      return next ? Promise.reject(new Error(next)) : Promise.resolve("ok");
    });
    const outbox = new Outbox(made, "box", "a", memory());
    outbox.push(item("1"));
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    expect(told.slice(-2)).toEqual(["stored 1 ok", "saved 0"]);
  });

  it.each(["fault", "wrong", "both", "no"])("drops the undo of an action that is not stored (%s) with it", async (why) => {
    vi.useFakeTimers();
    const sent: string[] = [];
    const { made, told } = carrier(async (each) => {
      sent.push(each.token);
      if (each.token === "2") throw new Error(why);
      return "ok";
    });
    const outbox = new Outbox(made, "box", "a", memory());
    for (const each of [item("1"), item("2"), item("3"), undo("4"), undo("5"), undo("6")]) outbox.push(each);
    await vi.advanceTimersByTimeAsync(10_000);
    vi.useRealTimers();
    // 4 takes back 3, 5 took back 2, which is not there; 6 takes back 1.
    expect([...new Set(sent)]).toEqual(["1", "2", "3", "4", "6"]);
    expect(told).toContain("cancelled 2");
    expect([told.at(-1), outbox.waiting]).toEqual(["saved 0", 0]);
  });

  it("goes on saving where telling of an action fails", async () => {
    const raised: unknown[] = [];
    const raise = vi.spyOn(globalThis, "queueMicrotask").mockImplementation((act) => void raised.push(act));
    const { made, told } = carrier(async () => "ok");
    const outbox = new Outbox({ ...made, stored: () => { throw new Error("a fault of the page"); } }, "box", "a", memory());
    outbox.push(item("1"));
    outbox.push(item("2"));
    await settled();
    raise.mockRestore();
    expect([told.at(-1), raised.length]).toEqual(["saved 0", 2]);
  });

  it("tells later actions on a joint what the earlier one made of it", async () => {
    const versions: (number | null | undefined)[] = [];
    const { made } = carrier(async (sent) => {
      versions.push(sent.edit?.changes[0]?.seen);
      return "ok";
    });
    const outbox = new Outbox({ ...made, stored: (sent) => outbox.saw(sent, 41) }, "box", "a", memory());
    outbox.push(item("1"));
    outbox.push(item("2"));
    await settled();
    expect(versions).toEqual([undefined, 41]);
  });
});
