/** The rooms of web/src: no import circles, imports in one direction, small folders, tests beside their sources. */

import { describe, expect, it } from "vitest";

const MOST_FILES = 15;
/** Tests of what lies beside src: of wire.mjs. (This file is not in its own list.) */
const BESIDE_SOURCES = ["wire"];

type Graph = Map<string, Set<string>>;

const TEXTS = import.meta.glob<string>("../src/**/*.{ts,tsx,md}", { query: "?raw", import: "default", eager: true });
const textOf = (file: string) => TEXTS[`../src/${file}`] as string;
const sources = Object.keys(import.meta.glob("../src/**/*")).map((path) => path.replace("../src/", ""));
const tests = Object.keys(import.meta.glob("./**/*.test.ts")).map((path) => path.replace(/^\.\/|\.test\.ts$/g, ""));

const nameOf = (file: string) => file.replace(/\.tsx?$/, "");
const roomOf = (file: string) => file.split("/").slice(0, -1).join("/");
const baseOf = (file: string) => file.split("/").at(-1) as string;
const isScript = (file: string) => /\.tsx?$/.test(file);

/** Return what a source imports of ours: for values and for types, statically, by `import()`, or to export it again. */
function importsOf(file: string, text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const found = code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']*)["']/g);
  return [...found].map(([, path]) => new URL(path as string, `file:///${file}`).pathname.slice(1)).filter((path) => !path.endsWith(".css"));
}

/** Return the nodes from which one comes back to oneself, in groups (Tarjan's strongly connected components). */
function circlesIn(graph: Graph): string[][] {
  const [index, low] = [new Map<string, number>(), new Map<string, number>()];
  const [stack, found]: [string[], string[][]] = [[], []];
  const visit = (node: string) => {
    index.set(node, index.size);
    low.set(node, index.get(node) as number);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node) as number, low.get(next) as number));
    }
    if (low.get(node) !== index.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1 || graph.get(node)?.has(node)) found.push(group.sort());
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return found;
}

/** Return the table of web/src/README.md, from the lowest room to the highest. */
function tableOf(text: string): { room: string; open: string[] }[] {
  const rows = [...text.matchAll(/^\| `(\w+)` \| [^|]+ \|([^|]*)\|$/gm)];
  return rows.map(([, room, open]) => ({ room: room as string, open: [...(open as string).matchAll(/`(\w+)`/g)].map(([, name]) => name as string) }));
}

const scripts = sources.filter(isScript);
const files: Graph = new Map(scripts.map((file) => [nameOf(file), new Set(importsOf(file, textOf(file)))]));
const crossings = [...files].flatMap(([from, tos]) => [...tos].filter((to) => roomOf(to) !== roomOf(from)).map((to) => ({ from, to })));
const table = tableOf(textOf("README.md"));
const order = table.map(({ room }) => room);

describe("the measure", () => {
  it("sees imports of values and types, dynamic ones, and exports of what is imported", () => {
    const text = `import { a } from "./b";\nimport type { C } from "../pose/c";\nimport "./own";\nimport "./look.css";\nconst d = () => import("../scene/d");
export { e } from "./e";\nimport {\n  f,\n} from './f';\n// import { g } from "./g";\nimport { render } from "preact";`;
    expect(importsOf("sheet/x.ts", text)).toEqual(["sheet/b", "pose/c", "sheet/own", "scene/d", "sheet/e", "sheet/f"]);
  });

  it("finds circles of any length, and no others", () => {
    const graph = new Map(Object.entries({ a: ["b", "d"], b: ["c"], c: ["a"], d: ["e"], e: [], f: ["f"] }).map(([node, to]) => [node, new Set(to)]));
    expect(circlesIn(graph)).toEqual([["a", "b", "c"], ["f"]]);
  });

  it("read the sources", () => {
    expect(files.get("page/page")).toContain("canvas/stage");
    expect(files.get("scene/panel")).toContain("scene/scene");
    expect([...files.values()].flatMap((tos) => [...tos]).filter((to) => !files.has(to))).toEqual([]);
  });
});

describe("the rooms", () => {
  it("have no circle between files, imports of types included", () => {
    expect(circlesIn(files)).toEqual([]);
  });

  it("have no circle between them", () => {
    const rooms: Graph = new Map(order.map((room) => [room, new Set()]));
    for (const { from, to } of crossings) rooms.get(roomOf(from))?.add(roomOf(to));
    expect(circlesIn(rooms)).toEqual([]);
  });

  it("are those of the table in web/src/README.md", () => {
    expect([...new Set(scripts.map(roomOf))].filter(Boolean).sort()).toEqual([...order].sort());
  });

  it("import only from rooms above them in that table", () => {
    const against = crossings.filter(({ from, to }) => roomOf(from) && order.indexOf(roomOf(to)) >= order.indexOf(roomOf(from)));
    expect(against).toEqual([]);
  });

  it("open to others what the table says, and others use all of it", () => {
    const used = table.map(({ room }) => ({ room, open: [...new Set(crossings.filter(({ to }) => roomOf(to) === room).map(({ to }) => baseOf(to)))].sort() }));
    expect(used).toEqual(table);
  });

  it(`hold at most ${MOST_FILES} files each`, () => {
    for (const room of order) expect(sources.filter((file) => roomOf(file) === room).length, room).toBeLessThanOrEqual(MOST_FILES);
    expect(scripts.filter((file) => !roomOf(file))).toEqual(["main.tsx"]);
  });

  it("say in the first line of each file what it is for", () => {
    const silent = scripts.filter((file) => !textOf(file).startsWith("/** "));
    expect(silent).toEqual([]);
  });
});

it("each test lies where its source does", () => {
  expect(tests.filter((name) => !files.has(name)).sort()).toEqual(BESIDE_SOURCES);
});
