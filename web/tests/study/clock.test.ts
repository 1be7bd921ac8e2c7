import { describe, expect, it } from "vitest";
import { WorkClock } from "../../src/study/clock";

function clockAt(): { clock: WorkClock; at: (seconds: number) => void } {
  let now = 0;
  const clock = new WorkClock(15, () => now);
  return { clock, at: (seconds) => (now = seconds * 1000) };
}

describe("the clocks of a study", () => {
  it("counts work up to the idle limit, and the rest of a gap as idle", () => {
    const { clock, at } = clockAt();
    clock.set({ active: 0, idle: 0, paused: 0 });
    clock.work();
    at(10);
    clock.seen();
    at(50);
    expect(clock.read()).toEqual({ active: 25, idle: 25, paused: 0 });
    clock.seen();
    at(52);
    expect(clock.read()).toEqual({ active: 27, idle: 25, paused: 0 });
  });

  it("asking is no input: idle time goes on", () => {
    const { clock, at } = clockAt();
    clock.set({ active: 0, idle: 0, paused: 0 });
    clock.work();
    for (const seconds of [5, 10, 15, 20, 25]) {
      at(seconds);
      clock.read();
    }
    expect(clock.read()).toEqual({ active: 15, idle: 10, paused: 0 });
  });

  it("keeps pauses apart, and moving the pointer in a pause is no work", () => {
    const { clock, at } = clockAt();
    clock.set({ active: 0, idle: 0, paused: 0 });
    clock.work();
    at(4);
    clock.pause();
    at(100);
    clock.seen();
    at(104);
    clock.work();
    at(107);
    expect(clock.read()).toEqual({ active: 7, idle: 0, paused: 100 });
  });

  it("goes on from what the server knows, and stands still until then", () => {
    const { clock, at } = clockAt();
    clock.set({ active: 40, idle: 3, paused: 9 });
    at(1000);
    expect(clock.read()).toEqual({ active: 40, idle: 3, paused: 9 });
    clock.work();
    at(1002);
    clock.stop();
    at(1500);
    expect(clock.read()).toEqual({ active: 42, idle: 3, paused: 9 });
  });
});
