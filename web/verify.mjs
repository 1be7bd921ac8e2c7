// Fails where the committed files are not what the sources build now.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, SCRIPTS } from "./build.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const package_ = join(here, "..", "src", "emc");
const fresh = mkdtempSync(join(tmpdir(), "emc-web-"));

function stale(folder, committed, names) {
  const read = (place, name) => {
    try {
      return readFileSync(join(place, name));
    } catch {
      return null;
    }
  };
  return names.filter((name) => {
    const [a, b] = [read(folder, name), read(committed, name)];
    return a === null || b === null || !a.equals(b);
  });
}

try {
  const [page, report] = [join(fresh, "page"), join(fresh, "report")];
  build(page, report, "error");
  const committed = join(package_, "server", "static");
  const names = [...new Set([...readdirSync(page), ...readdirSync(committed)])].sort();
  const found = [
    ...stale(page, committed, names).map((name) => `src/emc/server/static/${name}`),
    ...stale(report, join(package_, "assets", "report"), SCRIPTS.map((name) => `${name}.js`)).map((name) => `src/emc/assets/report/${name}`),
  ];
  if (found.length) {
    console.error(`out of date: ${found.join(", ")}: run \`make web\``);
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
