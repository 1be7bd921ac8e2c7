"""What a study is: its clips, its rules, and the folder that holds it.

``NAME.study/`` holds ``study.json`` (this), ``reference.json`` (where the joints are), ``start/`` (a project per clip,
as every participant finds it), ``people.jsonl`` and ``sessions/`` (append-only logs), ``desks/`` (projects of
participants), ``access.json`` (the token of the address).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emc.errors import ProjectError, StorageError, UsageError
from emc.untrusted import card_json, in_one_line

SUFFIX = ".study"
FILE = "study.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Task:
    """A clip to be corrected, and what is known of it.

    person : number of the person in the clip. frames : the task is the first `frames` frames. scale : square root of
    the person's area in pixels, of which joint tolerances are a share. wrong : share of the counted joints that the
    model has wrong before anybody corrects: matched clips have like shares. rendered : its people are not filmed.
    """

    clip: str
    frames: int
    width: int
    height: int
    skeleton: str
    person: int
    scale: float
    wrong: float
    rendered: bool = False


@dataclass(frozen=True, slots=True)
class StudyDesign:
    """The rules of one study; fixed when it is made.

    clips : the two matched ones. step : frames between two stamps. goal : share of the counted joints of a stretch
    that must be right before it counts as done, for both methods alike. tolerance : radius of "right", in units of
    the joint's OKS sigma times the person's scale. checks : after this many failed checks of one stretch a participant
    may go on without the goal. idle : seconds without any input that still count as work. seed : of the assignment.
    """

    name: str
    created: str
    clips: tuple[Task, Task]
    training: Task
    step: int = 10
    goal: float = 0.95
    tolerance: float = 2.0
    checks: int = 5
    idle: float = 15.0
    seed: int = 0
    consent: str = ""

    def task(self, which: int) -> Task:
        """Return clip 0 or 1, or the training clip (-1)."""
        return self.training if which < 0 else self.clips[which]

    def tasks(self) -> tuple[Task, ...]:
        """Return all clips, training last."""
        return (*self.clips, self.training)


def stretches(task: Task, step: int) -> list[tuple[int, int]]:
    """Return the (first, last) frames between two stamps, inclusive; the last stretch may be shorter."""
    return [(first, min(first + step, task.frames) - 1) for first in range(0, task.frames, step)]


def study_folder(name: str | Path) -> Path:
    """Return the folder of a study: its name with the suffix ``.study``."""
    path = Path(name)
    return path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)


def write_design(folder: Path, design: StudyDesign) -> None:
    """Write ``study.json``; raises `StorageError` where the folder cannot be written."""
    text = json.dumps({"version": VERSION, **asdict(design)}, indent=1, ensure_ascii=False) + "\n"
    try:
        (folder / FILE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"cannot write {folder / FILE} ({error.strerror}): choose another place") from error


def read_design(folder: Path) -> StudyDesign:
    """Read ``study.json``; raises `ProjectError` or `InputError` that names the file."""
    file = folder / FILE
    if not file.is_file():
        raise ProjectError(f"{folder} is no study (it has no {FILE}): make one with `emc study new`")
    with in_one_line(file, "restore it from a copy"):
        return _design(card_json(file))


def check_rules(step: int, goal: float, checks: int, idle: float) -> None:
    """Raise `UsageError` for rules that no study can have, naming the value."""
    if step < 1:
        raise UsageError(f"{step} frames between two stamps cannot be: use 1 or more")
    if not 0 < goal <= 1:
        raise UsageError(f"goal {goal} is no share of joints: use a number above 0 and up to 1, such as 0.95")
    if checks < 1 or idle <= 0:
        raise UsageError(f"checks {checks} and idle {idle} s must be positive: use for example 5 and 15")


def _design(raw: dict[str, Any]) -> StudyDesign:
    version = raw.pop("version", None)
    if version != VERSION:
        raise ValueError(f"version {version!r}, this EMC reads {VERSION}")
    first, second = (Task(**task) for task in raw.pop("clips"))
    return StudyDesign(clips=(first, second), training=Task(**raw.pop("training")), **raw)
