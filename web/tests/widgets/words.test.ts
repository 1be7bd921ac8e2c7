import { expect, it } from "vitest";
import { reasonWord, reasonWords } from "../../src/widgets/words";

it("every reason has a short word", () => {
  expect([reasonWord("lift_residual"), reasonWords("lift_residual")]).toEqual(["3D", "3D does not fit"]);
  expect([reasonWord("unreadable"), reasonWords("unreadable")]).toEqual(["not readable", "not readable here"]);
});
