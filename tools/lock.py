"""Print the installed versions as constraints: what ``make lock`` writes to ``constraints.txt``.

With ``--hashes REPORT`` print the lock file with hashes instead (``constraints.lock``), from what
``pip install --dry-run --ignore-installed --no-deps --report REPORT -r constraints.txt`` said it would download.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any

HEADER = "# Versions that `make` installs with; written by `make lock`. Build labels (+cpu) are left out on purpose."
LOCK_HEADER = (
    "# What `make install-locked` installs, by SHA-256; written by `make lock` for one system (see SECURITY.md)."
)


def constraints() -> str:
    """Return one ``name==version`` line per installed package, without EMC itself."""
    lines = {
        f"{dist.metadata['Name'].lower()}=={dist.version.split('+')[0]}"
        for dist in importlib.metadata.distributions()
        if dist.metadata["Name"].lower() not in {"emc-pose", "pip", "setuptools", "wheel"}
    }
    return "\n".join([HEADER, *sorted(lines)]) + "\n"


def locked(report: dict[str, Any]) -> str:
    """Return a requirements file with the hash of each file of pip's report; raises `ValueError` for one without."""
    lines: list[str] = []
    for one in report["install"]:
        name, version = one["metadata"]["name"].lower(), one["metadata"]["version"]
        hashes = one["download_info"].get("archive_info", {}).get("hashes", {})
        if "sha256" not in hashes:
            raise ValueError(f"pip knows no SHA-256 of {name} {version}: its index gives none")
        lines.append(f"{name}=={version} --hash=sha256:{hashes['sha256']}")
    return "\n".join([LOCK_HEADER, *sorted(lines)]) + "\n"


def main() -> None:
    """Write what was asked for to stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hashes", type=Path, metavar="REPORT", help="pip's report of what it would download")
    report = parser.parse_args().hashes
    sys.stdout.write(constraints() if report is None else locked(json.loads(report.read_text())))


if __name__ == "__main__":
    main()
