import { expect, it } from "vitest";
import { Pointer, type PointerHost } from "../../src/canvas/pointer";

/** A picture that hears of pointers, and what it makes of clicks. */
function picture() {
  const heard = new Map<string, (event: unknown) => void>();
  const clicks: number[] = [];
  const root = {
    addEventListener: (name: string, act: (event: unknown) => void) => void heard.set(name, act),
    setPointerCapture: () => {},
    getBoundingClientRect: () => ({ left: 0, top: 0 }),
  };
  const nothing = () => {};
  const host = { root, view: { scale: 1, x: 0, y: 0 }, drawing: false, nearest: () => null, seen: nothing, draw: nothing, clicked: (_: unknown, [x]: number[]) => void clicks.push(x as number) };
  new Pointer(host as unknown as PointerHost);
  const click = (x: number, time: number, pointerType = "mouse") => {
    const event = { clientX: x, clientY: 50, timeStamp: time, pointerType, pointerId: 1, button: 0 };
    heard.get("pointerdown")?.(event);
    heard.get("pointerup")?.(event);
  };
  return { click, clicks };
}

it("a double click is one click", () => {
  const { click, clicks } = picture();
  click(100, 1000);
  click(102, 1180);
  click(104, 1360);
  expect(clicks).toEqual([100]);
});

it("two clicks that are apart, in time or in place, are two", () => {
  const { click, clicks } = picture();
  click(100, 1000);
  click(101, 1600);
  click(140, 1700);
  expect(clicks).toEqual([100, 101, 140]);
});

it("a finger is less exact than a mouse", () => {
  const { click, clicks } = picture();
  click(100, 1000, "touch");
  click(120, 1200, "touch");
  expect(clicks).toEqual([100]);
});
