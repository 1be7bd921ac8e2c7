"""Change the code that scores, folds, mixes and chooses, one place at a time, and say which changes no test noticed.

    python tools/mutants.py [--show] [--only-show]

mutmut makes the changes and runs the tests named in ``[tool.mutmut]`` of pyproject.toml; a stopped run goes on.
Prints the share of changes that made a test fail, per file; with ``--show`` each change that did not, as a line taken
out and a line put in. Changes of the letters of a text are counted apart: tests hold what a message says, not its case.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SURVIVED, UNTESTED = 0, 33


def main() -> int:
    """Run mutmut, print the figures, and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="print each change that no test noticed")
    parser.add_argument("--only-show", action="store_true", help="print what the last run found, run nothing")
    options = parser.parse_args()
    code = 0
    if not options.only_show:
        code = subprocess.run(
            [sys.executable, "-m", "mutmut", "run", "--max-children", "1"], cwd=ROOT, check=False
        ).returncode
    for file in sorted((ROOT / "mutants").rglob("*.meta")):
        results: dict[str, int | None] = json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
        if results:
            report(file.with_suffix(""), results, options.show or options.only_show)
    return code


def report(file: Path, results: dict[str, int | None], show: bool) -> None:
    """Print one file's line, and with `show` the changes that survived."""
    done = {name: code for name, code in results.items() if code is not None}
    unseen = {name for name, code in done.items() if code in (SURVIVED, UNTESTED)}
    changes = dict(changed_lines(file, unseen))
    letters = {name for name, (old, new) in changes.items() if old.lower() == new.lower() or "XX" in new}
    killed = len(done) - len(unseen)
    rate = killed / max(len(done) - len(letters), 1)
    sys.stdout.write(
        f"{file.relative_to(ROOT / 'mutants' / 'src')}: {killed} of {len(done) - len(letters)} noticed ({rate:.1%}); "
        f"{len(letters)} changes of letters in texts and {len(results) - len(done)} not yet tried left out\n"
    )
    if show:
        for name, (old, new) in changes.items():
            if name not in letters:
                sys.stdout.write(f"  {name.rsplit('.', 1)[-1]}\n    - {old}\n    + {new}\n")


def changed_lines(file: Path, names: set[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield each named change with the lines it takes out and puts in."""
    source = file.read_text(encoding="utf-8")
    lines = source.splitlines()
    bodies = {
        node.name: [line.strip() for line in lines[node.lineno : node.end_lineno]]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    for name in sorted(names):
        changed = name.rsplit(".", 1)[-1]
        original = re.sub(r"__mutmut_\d+$", "__mutmut_orig", changed)
        if changed in bodies and original in bodies:
            delta = list(difflib.ndiff(bodies[original], bodies[changed]))
            old = " ".join(line[2:] for line in delta if line.startswith("- "))
            yield name, (old, " ".join(line[2:] for line in delta if line.startswith("+ ")))


if __name__ == "__main__":
    sys.exit(main())
