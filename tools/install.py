"""Install EMC into the running environment at the versions of ``constraints.txt``.

PyTorch comes as its CPU build where one is at hand (a wheel in a folder or index that pip already knows: the pin
``torch==X`` prefers ``X+cpu`` there). On Linux without an NVIDIA GPU the plain build brings several GB of GPU
packages: this script then says so, and how to avoid it, before it installs the only build there is.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALONE = {"test": ("rtmlib",)}
"""Extra -> packages to install without what they ask for: rtmlib wants other builds of OpenCV beside ours."""


def main() -> int:
    """Install, and return pip's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extra", action="append", default=[], help="extra of the package, such as 'test'")
    extras = parser.parse_args().extra
    warn_about_gpu_packages()
    target = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    constrained = ("install", "--quiet", "--constraint", str(ROOT / "constraints.txt"))
    code = pip(*constrained, "--editable", target)
    for package in (package for extra in extras for package in ALONE.get(extra, ())):
        code = code or pip(*constrained, "--no-deps", package)
    return code


def pip(*arguments: str) -> int:
    """Run pip in this environment; returns its exit code."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=False).returncode


def warn_about_gpu_packages() -> None:
    """Say, before a large download starts, that only the GPU build of PyTorch is at hand."""
    try:
        importlib.metadata.version("torch")
        return
    except importlib.metadata.PackageNotFoundError:
        pass
    if not sys.platform.startswith("linux") or shutil.which("nvidia-smi"):
        return
    pin = next(line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("torch=="))
    cpu = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps", f"{pin}+cpu"],
        capture_output=True,
        check=False,
    )
    if cpu.returncode != 0:
        sys.stderr.write(
            "install: no CPU build of PyTorch is at hand, so the GPU build (several GB) will be installed. To avoid "
            "that, stop here and give pip the CPU wheels (PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL, see PyTorch's "
            "own install page), then run the same command again.\n"
        )


if __name__ == "__main__":
    sys.exit(main())
