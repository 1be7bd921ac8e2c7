// Fails where the committed files are not what the sources build now.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const committed = join(here, "..", "src", "emc", "server", "static");
const fresh = mkdtempSync(join(tmpdir(), "emc-web-"));
try {
  const vite = join(here, "node_modules", "vite", "bin", "vite.js");
  const built = spawnSync(process.execPath, [vite, "build", "--logLevel", "error"], {
    cwd: here,
    env: { ...process.env, EMC_STATIC: fresh },
    stdio: "inherit",
  });
  if (built.status !== 0) process.exit(built.status ?? 1);
  const names = [...new Set([...readdirSync(fresh), ...readdirSync(committed)])].sort();
  const read = (folder, name) => {
    try {
      return readFileSync(join(folder, name));
    } catch {
      return null;
    }
  };
  const stale = names.filter((name) => {
    const [a, b] = [read(fresh, name), read(committed, name)];
    return a === null || b === null || !a.equals(b);
  });
  if (stale.length) {
    console.error(`src/emc/server/static is out of date (${stale.join(", ")}): run \`make web\``);
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
