"""Print the installed versions as constraints: what ``make lock`` writes to ``constraints.txt``."""

from __future__ import annotations

import importlib.metadata
import sys

HEADER = "# Versions that `make` installs with; written by `make lock`. Build labels (+cpu) are left out on purpose."


def main() -> None:
    """Write one ``name==version`` line per installed package, without EMC itself."""
    lines = {
        f"{dist.metadata['Name'].lower()}=={dist.version.split('+')[0]}"
        for dist in importlib.metadata.distributions()
        if dist.metadata["Name"].lower() not in {"emc-pose", "pip", "setuptools", "wheel"}
    }
    sys.stdout.write("\n".join([HEADER, *sorted(lines)]) + "\n")


if __name__ == "__main__":
    main()
