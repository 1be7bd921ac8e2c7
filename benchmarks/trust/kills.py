"""``kill -9`` of two clients that write and undo at once, again and again: what of the acknowledged edits is there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO, cast

from emc.pose.records import Clip, Role
from emc.store import SqlStore

# The launcher imports once and forks two writers for each line that it reads: they are what gets killed.
LAUNCHER = """
import os, pathlib, sys
from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.store import SqlStore

def write(author, folder):
    store, number, stored = SqlStore.open(folder), 0, None
    while True:
        number += 1
        undoes = stored.id if stored and number % 3 == 0 else 0
        size = 0 if undoes else 1 + number % 40
        changes = tuple(
            JointChange(frame, 0, number % 17, float(number), 1.0, Visibility.VISIBLE, Provenance.HUMAN)
            for frame in range(size)
        )
        stored = store.append_edit(Edit("kick", "undo" if undoes else "drag", changes, author, 1.0, undoes))
        os.write(1, f"{stored.id} {size} {undoes} {author} {number if size else 0}\\n".encode())

folder = pathlib.Path(sys.argv[1])
for line in sys.stdin:
    writers = []
    for author in ("ana", "ben"):
        writers.append(os.fork())
        if not writers[-1]:
            write(author, folder)
    os.write(1, ("writers " + " ".join(map(str, writers)) + "\\n").encode())
    for writer in writers:
        os.waitpid(writer, 0)
    os.write(1, b"\\nended\\n")
"""


def attack(folder: Path, kills: int, seed: int = 0) -> dict[str, float]:
    """Kill both clients `kills` times; returns what was acknowledged, what of it is lost, and what is there by half."""
    project = folder / "kick.emc"
    with SqlStore.create(project) as store:
        store.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 100, 640, 480))
    rng, acknowledged, after, longest = random.Random(seed), {}, 0, 0.0
    wrong: dict[str, int] = {"lost": 0, "half": 0, "faults": 0}
    with Popen(
        [sys.executable, "-c", LAUNCHER, str(project)], stdin=PIPE, stdout=PIPE, text=True, bufsize=1
    ) as launcher:
        for _ in range(kills):
            said = _one_kill(launcher, rng.uniform(0, 0.08))
            start = time.perf_counter()
            with SqlStore.open(project) as store:
                wrong["faults"] += len(store.faults)
                stored = {edit.id: edit for edit in store.edits(after=after)}
            longest = max(longest, time.perf_counter() - start)
            acknowledged |= said
            for identity, (size, undoes, author, number) in said.items():
                edit = stored.get(identity)
                if edit is None:
                    wrong["lost"] += 1
                    continue
                whole = (len(edit.changes), edit.undoes, edit.author) == (size, undoes, author)
                wrong["half"] += not (whole and all(change.x == number for change in edit.changes))
            after = max([after, *stored])
        launcher.stdin.close()  # type: ignore[union-attr]
    with SqlStore.open(project) as store:
        state = store.verify_journal()
        everything = {edit.id for edit in store.edits()}
        wrong["lost"] += len(acknowledged.keys() - everything)
        damaged = [*state.faults, *store.check()]
    return {**wrong, "acknowledged": len(acknowledged), "faults": wrong["faults"] + len(damaged), "longest": longest}


def _one_kill(launcher: Popen[str], seconds: float) -> dict[int, tuple[int, int, str, int]]:
    """Let two writers write for `seconds` past their start, kill both, and return what they had acknowledged."""
    given, answers = cast(IO[str], launcher.stdin), cast(IO[str], launcher.stdout)
    given.write("go\n")
    lines = [answers.readline()]
    while not lines[-1].startswith("writers"):
        lines.append(answers.readline())
    writers = [int(word) for word in lines.pop().split()[1:]]
    lines.append(answers.readline())
    time.sleep(seconds)
    for writer in writers:
        os.kill(writer, signal.SIGKILL)
    while lines[-1] != "ended\n":
        lines.append(answers.readline())
    said: dict[int, tuple[int, int, str, int]] = {}
    for words in map(str.split, lines[:-1]):
        # What the kill cut off in the middle was not acknowledged.
        if len(words) == 5:
            said[int(words[0])] = (int(words[1]), int(words[2]), words[3], int(words[4]))
    return said


def memory_of_children() -> float:
    """Return the largest memory that a child process of this one had, in MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    subprocess.run([sys.executable, str(Path(__file__).with_name("attacks.py")), "--only", "kills"], check=False)
