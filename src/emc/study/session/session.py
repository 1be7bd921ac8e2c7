"""One participant's way through a study: what may happen next, and a log from which it is told again after a crash."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from emc.errors import ConflictError, UsageError
from emc.pose.geometry import outside
from emc.pose.skeletons import skeleton_named
from emc.study.plan import Cell, Method, Step, StudyDesign, Task, steps_of, stretches
from emc.study.session.accuracy import Accuracy, measure_accuracy
from emc.study.session.log import Record, SessionLog
from emc.study.session.tlx import checked_ratings

CLOCKS = ("active", "idle", "paused")
NOTED = ("beat", "place", "pause", "resume", "opened")
"""Kinds of records that a page sends by itself."""
MOST_COMMENT = 4000
Placed = Callable[[Step, int, int], np.ndarray]


@dataclass(slots=True)
class SessionState:
    """Where a participant is.

    step : index into the steps. begun : the clock of this step has started. stretch : frames between two stamps, from
    0. failed : checks of this stretch that did not reach the goal. active, idle, paused : seconds in this step.
    placed : (frame, joint) -> (x, y), or None where said to be not visible; of the classic method, this step alone.
    """

    step: int = 0
    begun: bool = False
    stretch: int = 0
    failed: int = 0
    active: float = 0.0
    idle: float = 0.0
    paused: float = 0.0
    placed: dict[tuple[int, int], tuple[float, float] | None] = field(
        default_factory=dict[tuple[int, int], tuple[float, float] | None]
    )
    withdrawn: bool = False

    def next_step(self) -> None:
        """Begin the next step, its clocks at nothing."""
        self.step += 1
        self.begun, self.stretch, self.failed = False, 0, 0
        self.active = self.idle = self.paused = 0.0
        self.placed = {}


class Session:
    """A participant's session; raises `UsageError` for what cannot be, and `ConflictError` for what is not to be now.

    Hold `lock` while something is asked and then done. simulated : no person, but a script. code : the anonymous id.
    references : clip -> (T, J, 2) pixels, NaN where a joint does not count.
    """

    def __init__(
        self, code: str, cell: Cell, design: StudyDesign, references: Mapping[str, np.ndarray], log: SessionLog
    ) -> None:
        self.code = code
        self.cell = cell
        self.design = design
        self.simulated = False
        self.steps = steps_of(cell)
        self.lock = threading.RLock()
        self._references = references
        self._log = log
        self.state = SessionState()
        for record in log.records:
            self._take(record)

    @property
    def step(self) -> Step:
        """What the participant does now."""
        return self.steps[self.state.step]

    @property
    def task(self) -> Task | None:
        """The clip of this step, None where it has none."""
        return None if self.step.clip is None else self.design.task(self.step.clip)

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """The (first, last) frames between the stamps of this step."""
        task = self.task
        return [] if task is None else stretches(task, self.design.step)

    @property
    def records(self) -> Sequence[Record]:
        """The log, oldest first."""
        return self._log.records

    def consent(self, text_sha: str) -> None:
        """Note the consent to a text."""
        self._expect("consent")
        self._add({"id": "consent", "kind": "consent", "text": text_sha})

    def begin(self, step: int) -> None:
        """Start the clock of a step; again is nothing."""
        if step != self.state.step or not self.step.works:
            raise ConflictError(f"step {step} is not what comes now: reload the page")
        self._add({"id": f"begin-{step}", "kind": "begin", "step": step})

    def note(self, events: Iterable[Record]) -> int:
        """Store what the page noted; returns how many records were new. What belongs to a step that is over is left."""
        state = self.state
        kept = [event for event in events if event["step"] == state.step and state.begun]
        for event in kept:
            if event["kind"] not in NOTED:
                raise UsageError(f"event '{event['kind']}' is unknown: use one of {', '.join(NOTED)}")
            if event["kind"] == "place":
                self._check_place(event)
        return len(self._add(*kept))

    def check(self, key: str, step: int, stretch: int, clocks: Mapping[str, float], placed: Placed, go_on: bool) -> Any:
        """Check the frames of a stretch, stamp the time where they are right, and return the record.

        key : id of the request; one sent again is answered as before. placed : gives (T, J, 2) of frames first..last.
        go_on : leave the stretch as it is, which is allowed once it failed often enough.
        """
        before = next((record for record in self.records if record.get("id") == key), None)
        if before is not None:
            return before
        if (step, stretch) != (self.state.step, self.state.stretch) or not self.state.begun:
            raise ConflictError("these frames are not what comes now: reload the page")
        first, last = self.stretches[stretch]
        accuracy = self._measure(placed, first, last)
        ok = accuracy.share >= self.design.goal
        record: dict[str, Any] = {
            "id": key, "kind": "check", "step": step, "stretch": stretch, "first": first, "last": last,
            **{name: float(clocks[name]) for name in CLOCKS}, **_figures(accuracy),
            "wrong": {str(first + frame): count for frame, count in accuracy.wrong.items()},
            "ok": ok, "passed": ok or (go_on and self.may_go_on),
        }  # fmt: skip
        if record["passed"] and stretch + 1 == len(self.stretches):
            record["whole"] = _figures(self._measure(placed, 0, last))
        return self._add(record)[0]

    @property
    def may_go_on(self) -> bool:
        """Whether a participant may leave this stretch although it is not right."""
        return self.state.failed >= (1 if self.step.kind == "training" else self.design.checks)

    def rate(self, step: int, ratings: Mapping[str, float]) -> None:
        """Store the NASA-TLX ratings of the method just used."""
        if step != self.state.step or self.step.kind != "tlx":
            raise ConflictError("this method is rated already: reload the page")
        self._add({"id": f"tlx-{step}", "kind": "tlx", "step": step, "ratings": checked_ratings(ratings)})

    def comment(self, text: str) -> None:
        """Store what the participant wants to say; "" for nothing."""
        self._expect("comment")
        self._add({"id": "comment", "kind": "comment", "text": text[:MOST_COMMENT]})

    def placed(self, _: Step, first: int, last: int) -> np.ndarray:
        """Return (T, J, 2) of what was placed by the classic method in this step, NaN where nothing was."""
        task = self.task
        if task is None:
            raise UsageError("no clip is corrected now: reload the page")
        found = np.full((last - first + 1, len(skeleton_named(task.skeleton)), 2), np.nan)
        for (frame, joint), xy in self.state.placed.items():
            if xy is not None and first <= frame <= last:
                found[frame - first, joint] = xy
        return found

    def _measure(self, placed: Placed, first: int, last: int) -> Accuracy:
        task = self.task
        if task is None:
            raise UsageError("no clip is corrected now: reload the page")
        skeleton = skeleton_named(task.skeleton)
        reference = self._references[task.clip][first : last + 1]
        return measure_accuracy(reference, placed(self.step, first, last), skeleton, task.scale, self.design.tolerance)

    def _expect(self, kind: str) -> None:
        if self.step.kind != kind:
            raise ConflictError(f"{kind} is not what comes now: reload the page")

    def _check_place(self, event: Record) -> None:
        task, state = self.task, self.state
        if task is None or self.step.method is not Method.CLASSIC:
            raise UsageError("joints are placed one by one only with the classic method: reload the page")
        first, last = self.stretches[state.stretch]
        joints = len(skeleton_named(task.skeleton))
        if not first <= event["frame"] <= last or not 0 <= event["joint"] < joints:
            raise UsageError(f"frame {event['frame']}, joint {event['joint']} is not among frames {first} to {last}")
        xy = event["xy"]
        if xy is not None and (
            not all(math.isfinite(v) for v in xy) or outside(np.array(xy, dtype=float), task.width, task.height)
        ):
            raise UsageError(f"({xy[0]}, {xy[1]}) is far outside of the frame: place the joint nearer")

    def _add(self, *records: Record) -> list[Record]:
        new = self._log.append(records)
        for record in new:
            self._take(record)
        return new

    def _take(self, record: Record) -> None:
        """Move on by one record; the same whether it happens now or is read again."""
        state, kind = self.state, record["kind"]
        if record.get("step", state.step) == state.step:
            for clock in CLOCKS:
                setattr(state, clock, max(getattr(state, clock), float(record.get(clock, 0.0))))
        if kind == "begin":
            state.begun = True
        elif kind == "place" and record["step"] == state.step:
            self._placed_joint(record)
        elif kind == "check":
            self._checked(record)
        elif kind in ("consent", "tlx", "comment"):
            state.next_step()

    def _placed_joint(self, record: Record) -> None:
        key, xy = (record["frame"], record["joint"]), record["xy"]
        if xy is None and record["how"] == "undo":
            self.state.placed.pop(key, None)
        else:
            self.state.placed[key] = None if xy is None else (float(xy[0]), float(xy[1]))

    def _checked(self, record: Record) -> None:
        state = self.state
        if not record["passed"]:
            state.failed += 1
            return
        state.stretch, state.failed = state.stretch + 1, 0
        if state.stretch == len(self.stretches):
            state.next_step()


def _figures(accuracy: Accuracy) -> dict[str, Any]:
    """Return the figures of a check that are logged; what is not a number becomes None."""
    figures = {name: value for name, value in asdict(accuracy).items() if name != "wrong"}
    figures["share"] = accuracy.share
    return {name: None if value != value else round(value, 4) for name, value in figures.items()}
