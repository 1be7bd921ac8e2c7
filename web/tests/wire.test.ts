import { describe, expect, it } from "vitest";
import { committed, fresh, typeOf, wireOf } from "../wire.mjs";

describe("the types of page and server", () => {
  it("are those of the server's document (else: npm run wire)", () => {
    expect(committed()).toBe(fresh());
  });

  it.each([
    [{ type: "integer" }, "number"],
    [{ anyOf: [{ type: "number" }, { type: "null" }] }, "number | null"],
    [{ type: "array", items: { $ref: "#/components/schemas/Pose" } }, "Pose[]"],
    [{ type: "array", prefixItems: [{ type: "number" }, { type: "number" }] }, "[number, number]"],
    [{ enum: ["open", 2] }, '"open" | 2'],
    [{ type: "object", additionalProperties: { type: "integer" } }, "Record<string, number>"],
    [{}, "unknown"],
  ])("%o is %s", (schema, type) => {
    expect(typeOf(schema)).toBe(type);
  });

  it("let a request leave out what has a usual value, and an answer nothing", () => {
    const one = { properties: { a: { type: "string" }, b: { type: "number" } }, required: ["a"] };
    const body = { content: { "application/json": { schema: { $ref: "#/components/schemas/In" } } } };
    const paths = { "/x": { post: { requestBody: body, responses: { 200: {} } } } };
    const words = wireOf({ paths, components: { schemas: { In: one, Out: one } } });
    expect(words).toContain("interface In {\n  a: string;\n  b?: number;");
    expect(words).toContain("interface Out {\n  a: string;\n  b: number;");
  });
});
