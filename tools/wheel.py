"""Build the wheel into a folder and check that it holds all that the package needs: ``python tools/wheel.py [dist]``.

The front end comes as it was built (``make web``), so that neither building nor installing needs Node. Every file of
``src/emc`` that is under version control must be in the wheel, and the licences of what the front end bundles.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Build, check, say what was made; returns 1, naming them, where files are missing."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").resolve()
    wheel = build(out)
    held = set(zipfile.ZipFile(wheel).namelist())
    missing = sorted(wanted() - held)
    if missing:
        sys.stderr.write(f"wheel: {wheel.name} lacks {len(missing)} files: {', '.join(missing[:10])}\n")
        return 1
    sys.stdout.write(f"wheel: {wheel}, {len(held)} files, {wheel.stat().st_size / 2**20:.1f} MiB\n")
    return 0


def build(out: Path) -> Path:
    """Return the wheel, built from a copy of what is under version control: nothing that lies about gets in."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "emc"
        for name in tracked("."):
            target = copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
        made = Path(folder) / "made"
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(made), str(copy)]
        subprocess.run(command, check=True)
        (wheel,) = made.glob("*.whl")
        out.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy2(wheel, out / wheel.name))


def wanted() -> set[str]:
    """Return the paths in the wheel of the package's files and of the licences."""
    package = {name.removeprefix("src/") for name in tracked("src/emc")}
    version = (ROOT / "src" / "emc" / "version.py").read_text(encoding="utf-8").split('"')[-2]
    return package | {f"emc_pose-{version}.dist-info/licenses/{name}" for name in ["LICENSE", *tracked("licenses")]}


def tracked(folder: str) -> list[str]:
    """Return the files of a folder that are under version control and there, relative to the checkout."""
    listed = subprocess.run(["git", "ls-files", "-z", folder], cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


if __name__ == "__main__":
    sys.exit(main())
