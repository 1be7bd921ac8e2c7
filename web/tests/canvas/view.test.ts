import { describe, expect, it } from "vitest";
import { aimed, brought, fitting, inSight, kept, revealing, toFrame, TOLERANCE_PIXELS, toleranceOf, toScreen, zoomed } from "../../src/canvas/view";

const screen = { width: 800, height: 600 };

describe("view", () => {
  it("goes from the frame to the screen and back", () => {
    const view = { scale: 2, x: 10, y: -20 };
    expect(toScreen(view, [5, 30])).toEqual([20, 40]);
    expect(toFrame(view, [20, 40])).toEqual([5, 30]);
  });

  it("fits a region in the middle of the screen, with room around it", () => {
    const view = fitting(screen, { x: 50, y: 40, width: 100, height: 100 }, 0.25);
    expect(view.scale).toBe(4);
    expect(toScreen(view, [50, 40])).toEqual([400, 300]);
  });

  it("zooms about the pointer", () => {
    const view = zoomed({ scale: 1, x: 0, y: 0 }, 3, [100, 50], 0.1);
    expect(view).toEqual({ scale: 3, x: -200, y: -100 });
    expect(zoomed({ scale: 1, x: 0, y: 0 }, 0.001, [0, 0], 0.5).scale).toBe(0.5);
  });

  it("knows how much of a person is in sight, of the screen where the person is larger", () => {
    const person = { x: 100, y: 100, width: 40, height: 80 };
    expect(inSight({ scale: 1, x: 0, y: 0 }, person, screen)).toBe(1);
    expect(inSight({ scale: 1, x: -100, y: 0 }, person, screen)).toBe(0.5);
    expect(inSight({ scale: 1, x: -200, y: 0 }, person, screen)).toBe(0);
    expect(inSight({ scale: 40, x: -3600, y: -3600 }, person, screen)).toBe(1);
  });

  it("never loses the frame", () => {
    const view = kept({ scale: 1, x: 5000, y: -5000 }, screen, { width: 400, height: 200 });
    expect(view).toEqual({ scale: 1, x: 840, y: -240 });
  });

  it("moves only as far as a joint needs to come into sight", () => {
    const view = { scale: 1, x: 0, y: 0 };
    expect(revealing(view, [400, 300], screen)).toEqual(view);
    expect(revealing(view, [900, 20], screen)).toEqual({ scale: 1, x: -190, y: 70 });
  });
});

describe("a suspect joint", () => {
  const screen = { width: 900, height: 600 };

  it("comes under the pointer, large enough to aim at", () => {
    const view = brought({ scale: 1, x: 0, y: 0 }, [40, 50], [400, 300], 2);
    expect(toScreen(view, [40, 50])).toEqual([400, 300]);
    expect(2 * 2 * view.scale).toBe(TOLERANCE_PIXELS);
  });

  it("is never shown smaller than it was", () => {
    expect(brought({ scale: 9, x: 0, y: 0 }, [40, 50], [400, 300], 2).scale).toBe(9);
  });

  it("stays away from the border", () => {
    expect(aimed([5, 590], screen)).toEqual([225, 450]);
    expect(aimed([420, 310], screen)).toEqual([420, 310]);
  });

  it("is right within a share of the person's size", () => {
    expect(toleranceOf({ width: 100, height: 400 })).toBe(10);
    expect(toleranceOf(null)).toBe(1);
  });
});
