"""Projects of somebody else: rows, settings, cards and documents that emc does not write, under real commands."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from emc.cli.main import app
from emc.pose.records import Clip, Edit, JointChange, Provenance, Role, Visibility
from emc.store import SqlStore

COMMANDS = (
    ("status",),
    ("verify",),
    ("persons",),
    ("predict", "--estimator", "nano"),
    ("lift",),
    ("evaluate",),
    ("calibrate",),
    ("report",),
    ("forecast",),
    ("export", "coco"),
)
ROWS = (
    "UPDATE clip SET id = '../../../outside'",
    "UPDATE clip SET id = '/tmp/emc-outside/x'",
    "UPDATE clip SET id = 'a' || char(10) || 'b'",
    "UPDATE clip SET role = 'owner'",
    "UPDATE clip SET tags = '[[[[1]]]]'",
    "UPDATE clip SET tags = 'nonsense'",
    "UPDATE clip SET times = X'0102'",
    "UPDATE clip SET times = X'000000000000F87F'",
    "UPDATE clip SET files = '{}'",
    "UPDATE clip SET files = '[[\"../../x\", 1, 2, \"\"]]'",
    "UPDATE clip SET path = '/dev/zero'",
    "UPDATE clip SET path = ''",
    "UPDATE clip SET frames = 'many'",
    "UPDATE clip SET frames = 9223372036854775807",
    "UPDATE clip SET width = -1",
    "UPDATE clip SET fps = 'fast'",
    "UPDATE clip SET kind = 'opera'",
    "UPDATE run SET settings = '[' || replace(hex(zeroblob(3000)), '00', '[')",
    "UPDATE run SET settings = '7'",
    "UPDATE run SET skeleton = '../../etc'",
    "UPDATE run SET created = 'yesterday'",
    "INSERT INTO prediction VALUES (1, 0, 0, 17, X'00')",
    "INSERT INTO prediction VALUES (1, 'x', 0, 'y', X'0000')",
    "INSERT INTO alert VALUES (1, 0, 0, 0, 0, 0, 'whim', 'high')",
    "INSERT INTO frame_alert VALUES (1, 0, 'a', 'b', 0, 0)",
    "INSERT INTO alert_block VALUES (1, 0, 9, X'FF')",
    "UPDATE edit_change SET visibility = 9",
    "UPDATE edit_change SET provenance = 'god'",
    "UPDATE edit_change SET joint = 30000",
    "UPDATE edit_change SET x = 'left'",
    "UPDATE edit SET undoes = 1",
    "INSERT INTO edit_person VALUES (1, 1, 0, 0, 99, -1)",
    "UPDATE edit_chain SET digest = 'text'",
    "INSERT INTO journal_loss VALUES (1, 1, 9999999999, 'a', 'b', 'c')",
    *(f"INSERT INTO document (kind, name, json, created) VALUES ({kind!r}, {name!r}, {text!r}, '')"
      for kind, name in (("project", "skeleton"), ("calibration", "../../x"), ("lifted", "kick"), ("origin", "kick"),
                         ("skeleton", "tiny"))
      for text in ("nonsense", "7", '{"name": "tiny", "toml": "a = \\"", "folder": "/etc"}', "[" * 3000)),
)  # fmt: skip
FILES: tuple[tuple[str, str], ...] = (
    *(("emc.toml", text) for text in ("predict = 3", "[calibrate]\nsteps = 'x'", "[[calibrate]]", "a = " + "[" * 3000,
                                      "[predict]\nestimator = 7", "[lift]\nrefine = {a = 1}", "\x00",
                                      "[calibrate.x.y]")),
    *(("auto.toml", text) for text in ("estimator = 7", "estimator = '../..'", "[", "estimator = 'auto'",
                                       "estimator = 'kick.emc/models/self'")),
    *(("jobs/calibration.json", text) for text in ("{", "[]", '{"state": "running"}', '{"state": 7, "id": "../../x"}',
                                                   "[" * 3000)),
    *(("models/self/emc.json", text) for text in ('{"estimator": "auto"}', '{"estimator": "rotation"}', "[]",
                                                  '{"estimator": "kick.emc/models/self"}', '{"estimator": ["nano"]}')),
    *(("models/x/ladder.json", text) for text in ("{", "[]", '{"ladder": 7}')),
    ("lifted/kick.npz", "nonsense"), ("journal.head", "nonsense"), ("journal.head", "emc-journal 1 9 9 9 9 9"),
)  # fmt: skip


@dataclass(frozen=True)
class Tried:
    """One command on one foreign project. how : done, refused (one line), lines, traceback; `outside` : files that
    the command wrote out of the project's folder.
    """

    what: str
    command: str
    how: str
    seconds: float
    said: str = ""
    outside: tuple[str, ...] = ()


def made(folder: Path) -> Path:
    """Return a small project with a video, a run, an edit and a document."""
    import numpy as np

    from emc.stages.overlay import write_video

    video = folder / "kick.mp4"
    rng = np.random.default_rng(0)
    write_video(video, (rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(6)), fps=10)
    project = folder / "kick.emc"
    with SqlStore.create(project) as store:
        store.add_clip(Clip("kick", str(video), Role.TARGET, "ana", 6, 64, 64, fps=10.0))
        store.finish_run(store.start_run("kick", "nano", "coco17", {}).id)
        change = JointChange(0, 0, 0, 7.0, 8.0, Visibility.VISIBLE, Provenance.HUMAN)
        store.append_edit(Edit("kick", "drag", (change,), "ana", 1.5))
    shutil.rmtree(project / "snapshots", ignore_errors=True)
    return project


def attack(folder: Path, commands: tuple[tuple[str, ...], ...] = COMMANDS) -> list[Tried]:
    """Run each command on each foreign project."""
    project = made(folder)
    attacks: list[tuple[str, Callable[[Path], None]]] = [
        *((statement, lambda copy, statement=statement: _change(copy, statement)) for statement in ROWS),
        *(
            (f"{name}: {text[:40]}", lambda copy, name=name, text=text: _write(copy / name, text))
            for name, text in FILES
        ),
    ]
    found: list[Tried] = []
    for what, damage in attacks:
        for command in commands:
            place = folder / "try"
            copy = Path(shutil.copytree(project, place / "kick.emc"))
            damage(copy)
            found.append(_tried(what, command, copy))
            shutil.rmtree(place)
    return found


def _change(project: Path, statement: str) -> None:
    with closing(sqlite3.connect(project / "project.sqlite")) as opened, opened:
        for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            opened.execute(f"DROP TRIGGER {name}")
        opened.execute(statement)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _tried(what: str, command: tuple[str, ...], project: Path) -> Tried:
    before = _outside(project)
    start = time.perf_counter()
    done = CliRunner().invoke(app, [*command, "--json", "-p", str(project)])
    seconds = time.perf_counter() - start
    outside = tuple(sorted(_outside(project) - before))
    name = " ".join(command)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return Tried(what, name, "traceback", seconds, repr(done.exception)[:300], outside)
    if done.exit_code == 0:
        return Tried(what, name, "done", seconds, "", outside)
    said = done.stderr.strip().splitlines()
    errors = [line for line in said if line.startswith("emc: ") and not line.startswith("emc: warning: ")]
    failed = not errors and done.stdout.lstrip().startswith("{") and "error" not in json.loads(done.stdout)
    return Tried(what, name, "refused" if len(errors) == 1 or failed else "lines", seconds, done.stderr[-300:], outside)


def _outside(project: Path) -> set[str]:
    around = project.parents[2]
    found = {str(path) for path in around.rglob("*") if project not in path.parents and path != project}
    return found | {str(path) for path in Path("/tmp/emc-outside").rglob("*")}
