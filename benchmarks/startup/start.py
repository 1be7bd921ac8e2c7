"""How long commands take to start, beside the bare imports that they cannot do without.

Usage: python start.py [--runs 7] [--json]. Every run starts each program once, in turn, so that a busy machine slows
all of them alike; the editor counts until its page has come. The first turn, which reads files from the disk, is not
counted. CPU seconds are user and system of the program: they leave out waiting, for the disk or for other work.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

Seconds = tuple[float, float]
"""Wall and CPU."""
COMMAND_LINE = (sys.executable, "-c", "import typer, rich")
WEB = (sys.executable, "-c", "import fastapi, uvicorn, sqlalchemy")
EMC = (sys.executable, "-m", "emc")
HELP_RATIO, EDIT_MORE = 3.0, 2.0
"""What is wanted: of help at most three times its bare imports, of the editor at most two seconds above its own."""


def ended(command: Sequence[str]) -> Seconds:
    """Run a program to its end."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def answered(command: Sequence[str]) -> Seconds:
    """Run the editor until its page has come; what it loads after that is not counted."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        address = process.stdout.readline().strip() if process.stdout else ""
        with urllib.request.urlopen(address, timeout=60) as answer:
            answer.read()
        wall, cpu = time.perf_counter() - start, cpu_of(process.pid)
        process.kill()
    return wall, cpu


def cpu_of(process: int) -> float:
    """Return the CPU seconds of a running program (Linux; elsewhere not a number)."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def contestants(folder: Path) -> dict[str, Callable[[], Seconds]]:
    project = str(folder / "kick.emc")
    subprocess.run([*EMC, "new", project], check=True, stdout=subprocess.DEVNULL)
    numbers = iter(range(1_000_000))
    return {
        "command line": lambda: ended(COMMAND_LINE),
        "web": lambda: ended(WEB),
        "torch": lambda: ended((sys.executable, "-c", "import torch")),
        "help": lambda: ended((*EMC, "--help")),
        "new": lambda: ended((*EMC, "new", str(folder / f"new{next(numbers)}"))),
        "status": lambda: ended((*EMC, "status", "--project", project)),
        "edit": lambda: answered((*EMC, "edit", "--no-browser", "--project", project)),
    }


def measure(runs: int) -> dict[str, list[Seconds]]:
    with tempfile.TemporaryDirectory() as folder:
        programs = contestants(Path(folder))
        turns = [{name: start() for name, start in programs.items()} for _ in range(runs + 1)]
    return {name: [turn[name] for turn in turns[1:]] for name in programs}


def summary(measured: dict[str, list[Seconds]]) -> dict[str, dict[str, float]]:
    """Return minimum and median of each program, and of its ratio to and difference from its bare imports."""
    found: dict[str, dict[str, float]] = {}
    for name, runs in measured.items():
        bare = measured["web" if name == "edit" else "command line"]
        found[name] = {}
        for kind, unit in enumerate(("wall", "cpu")):
            seconds = [run[kind] for run in runs]
            found[name] |= {f"{unit}_min": min(seconds), f"{unit}_median": statistics.median(seconds)}
            if name in ("help", "new", "status", "edit"):
                pairs = list(zip(seconds, [run[kind] for run in bare], strict=True))
                found[name][f"{unit}_ratio"] = statistics.median(a / b for a, b in pairs)
                found[name][f"{unit}_more"] = statistics.median(a - b for a, b in pairs)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = summary(measure(given.runs))
    document = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load": os.getloadavg()[0],
        "runs": given.runs,
        "seconds": found,
        "wanted": {
            "help_ratio": [found["help"]["cpu_ratio"], HELP_RATIO],
            "edit_seconds_more": [found["edit"]["cpu_more"], EDIT_MORE],
        },
    }
    if given.json:
        print(json.dumps(document, indent=2))
        return
    print(f"{document['machine']}, load {document['load']:.1f}, {given.runs} runs; seconds: minimum, median")
    for name, figures in found.items():
        beside = f"   x{figures['cpu_ratio']:.2f} +{figures['cpu_more']:.2f} s CPU" if "cpu_ratio" in figures else ""
        wall, cpu = (f"{figures[f'{unit}_min']:.2f} {figures[f'{unit}_median']:.2f}" for unit in ("wall", "cpu"))
        print(f"{name:13} wall {wall}   CPU {cpu}{beside}")


if __name__ == "__main__":
    main()
