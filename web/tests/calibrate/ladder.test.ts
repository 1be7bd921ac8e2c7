import { expect, test } from "vitest";
import { whoseMotion } from "../../src/calibrate/ladder";

const clip = (role: string, rendered: boolean) => ({ role, rendered });

test("the target is called your motion only where none of it is rendered", () => {
  expect(whoseMotion([clip("target", false), clip("common", true)])).toBe("your motion");
  expect(whoseMotion([clip("target", true), clip("common", false)])).toBe("rendered people");
  expect(whoseMotion([clip("target", true), clip("target", false)])).toBe("your motion, 1 of 2 clips rendered");
});
