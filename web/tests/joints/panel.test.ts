import { expect, it } from "vitest";
import { nobodyHere } from "../../src/joints/panel";

it("tells why nobody is shown: nobody was found, or nobody was looked for", () => {
  expect(nobodyHere({ model: "nano", every: 1 }, 3)).toBe("Nobody was found on this frame.");
  expect(nobodyHere({ model: "nano", every: 2 }, 4)).toBe("Nobody was found on this frame.");
  expect(nobodyHere({ model: "nano", every: 2 }, 3)).toBe("This frame was not looked at: one of 2 is.");
  expect(nobodyHere({ model: "nano", every: 0 }, 3)).toBe("Nobody was found on this frame, or it was not looked at.");
  expect(nobodyHere({ model: null, every: 1 }, 3)).toBe("This clip is not predicted yet.");
});
