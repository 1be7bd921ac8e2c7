"""The attack suite: kills, damaged databases, damaged and heavy files, projects of somebody else.

Usage: python benchmarks/trust/attacks.py [--only kills pages files heavy projects] [--kills 1000] [--files 1000]
[--pages 180] [--json]. Prints one row for each kind: tries, what was lost without a word, tracebacks (messages of
several lines, hangs and crashes among them), the longest try in seconds, the largest memory in MB where it was
measured. Ends with code 1 where anything was lost or traced.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.trust import files, heavy, kills, pages, projects  # noqa: E402


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    kind: str
    tries: int
    losses: int
    tracebacks: int
    longest: float
    memory: float = 0.0
    note: str = ""


def kill_rows(count: int) -> Iterable[Row]:
    with TemporaryDirectory() as folder:
        done = kills.attack(Path(folder), count)
    lost = int(done["lost"] + done["half"] + done["faults"])
    note = f"{done['acknowledged']:.0f} edits acknowledged, {done['half']:.0f} by half"
    yield Row("kill -9, two clients and undo", count, lost, 0, done["longest"], kills.memory_of_children(), note)


def page_rows(count: int) -> Iterable[Row]:
    with TemporaryDirectory() as folder:
        tried = pages.attack(Path(folder), count)
    for way in pages.WAYS:
        those = [one for one in tried if one.way == way]
        back = sum(one.back for one in those) / (max(1, len(those)) * pages.EDITS)
        lost = sum(one.silent + one.half for one in those)
        faults = [one.fault for one in those if one.fault]
        note = f"{100 * back:.0f} % of the edits back without a snapshot" + (f"; {faults[0]}" if faults else "")
        longest = max((one.seconds for one in those), default=0.0)
        yield Row(f"database: {way}", len(those), lost, len(faults), longest, 0.0, note)


def file_rows(count: int) -> Iterable[Row]:
    outcomes, memory = files.attack(count)
    for kind in files.KINDS:
        those = [one for one in outcomes if one.kind == kind.name]
        bad = [one for one in those if one.how not in ("read", "refused")]
        note = f"{sum(one.how == 'refused' for one in those)} single lines" + (f"; {bad[0].said}" if bad else "")
        longest = max((one.seconds for one in those), default=0.0)
        yield Row(f"damaged file: {kind.name}", len(those), 0, len(bad), longest, memory, note)


def heavy_rows(_count: int) -> Iterable[Row]:
    for one in heavy.attack():
        bad = one.how not in ("read", "refused")
        yield Row(f"heavy file: {one.what}", 1, 0, int(bad), one.seconds, one.memory, f"{one.how} {one.said[:80]}")


def project_rows(_count: int) -> Iterable[Row]:
    with TemporaryDirectory() as folder:
        (Path(folder) / "in").mkdir()
        tried = projects.attack(Path(folder) / "in")
    for command in dict.fromkeys(one.command for one in tried):
        those = [one for one in tried if one.command == command]
        bad = [one for one in those if one.how in ("traceback", "lines")]
        outside = sum(bool(one.outside) for one in those)
        note = f"{outside} wrote outside" + (f"; {bad[0].what}: {bad[0].said}" if bad else "")
        longest = max(one.seconds for one in those)
        yield Row(f"foreign project: emc {command}", len(those), outside, len(bad), longest, 0.0, note)


ATTACKS: dict[str, Callable[[int], Iterable[Row]]] = {
    "kills": kill_rows,
    "pages": page_rows,
    "files": file_rows,
    "heavy": heavy_rows,
    "projects": project_rows,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS))
    for name, count in (("kills", 1000), ("files", 1000), ("pages", 180)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows: list[Row] = []
    if not given.json:
        print("| kind | tries | losses | tracebacks | longest, s | memory, MB | |\n|---|---|---|---|---|---|---|")
    for name in given.only:
        for row in ATTACKS[name](getattr(given, name, 0)):
            rows.append(row)
            if not given.json:
                memory = f"{row.memory:.0f}" if row.memory else ""
                cells = [row.kind, row.tries, row.losses, row.tracebacks, f"{row.longest:.2f}", memory, row.note]
                print(f"| {' | '.join(' '.join(str(cell).split()).replace('|', '/') for cell in cells)} |", flush=True)
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
    sys.exit(any(row.losses or row.tracebacks for row in rows))


if __name__ == "__main__":
    main()
