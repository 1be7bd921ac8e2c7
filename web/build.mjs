// Builds the editor's page, then each script of the report; `node build.mjs STATIC REPORT` builds into other folders.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const vite = join(here, "node_modules", "vite", "bin", "vite.js");

export const SCRIPTS = ["viewer", "slider"];

export function build(page, report, level = "warn") {
  const run = (args, env) => {
    const built = spawnSync(process.execPath, [vite, "build", "--logLevel", level, ...args], {
      cwd: here,
      env: { ...process.env, ...env },
      stdio: "inherit",
    });
    if (built.status !== 0) process.exit(built.status ?? 1);
  };
  run([], page ? { EMC_STATIC: page } : {});
  for (const name of SCRIPTS) {
    const where = report ? { EMC_REPORT_ASSETS: report } : {};
    run(["--config", "vite.report.config.ts"], { EMC_REPORT_SCRIPT: name, ...where });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build(process.argv[2], process.argv[3]);
