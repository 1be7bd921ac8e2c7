"""What the logs of a study say, as rows: one per trial, one per stamp, one per rating."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from emc.study.plan import Step
from emc.study.roster import number_of
from emc.study.session import Record, Session, raw_tlx


@dataclass(frozen=True, slots=True)
class StampRow:
    """One stretch of frames of one trial.

    frames : done since the trial began. seconds : of work since then (idle time and pauses left out).
    stretch_seconds : of this stretch alone. share : of the counted joints right. reached : whether that is the goal.
    """

    person: str
    sequence: str
    period: int
    method: str
    clip: str
    first: int
    last: int
    frames: int
    seconds: float
    stretch_seconds: float
    idle: float
    paused: float
    checks: int
    share: float
    pixels: float | None
    reached: bool


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One method on one clip by one person; share, pixels and oks are those of the whole clip at the end.

    tlx : raw NASA-TLX, None where not rated yet. simulated : by a script.
    """

    person: str
    sequence: str
    period: int
    method: str
    clip: str
    frames: int
    seconds: float
    idle: float
    paused: float
    checks: int
    left: int
    share: float
    pixels: float | None
    oks: float | None
    tlx: float | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class StudyTables:
    """All rows of a study. trials : finished ones alone. ratings : person, period, method and the six ratings."""

    trials: tuple[TrialRow, ...]
    stamps: tuple[StampRow, ...]
    ratings: tuple[dict[str, Any], ...]
    comments: tuple[dict[str, str], ...]
    people: int
    finished: int


def study_tables(sessions: Sequence[Session]) -> StudyTables:
    """Return the rows of a study; training trials are left out."""
    stamps = [row for session in sessions for row in _stamps(session)]
    trials = [row for session in sessions for row in _trials(session)]
    ratings = [row for session in sessions for row in _ratings(session)]
    comments = [
        {"person": number_of(session.code), "text": record["text"]}
        for session in sessions
        for record in session.records
        if record["kind"] == "comment" and record["text"].strip()
    ]
    finished = sum(session.step.kind == "done" for session in sessions)
    return StudyTables(tuple(trials), tuple(stamps), tuple(ratings), tuple(comments), len(sessions), finished)


def as_rows(rows: Iterable[Any]) -> tuple[list[str], list[list[Any]]]:
    """Return column names and values of dataclass rows or dicts; nothing where there are none."""
    listed = list(rows)
    if not listed:
        return [], []
    if isinstance(listed[0], dict):
        names = list(listed[0])
        return names, [[row[name] for name in names] for row in listed]
    names = [field.name for field in fields(listed[0])]
    return names, [[getattr(row, name) for name in names] for row in listed]


def _checks(session: Session, number: int) -> list[Record]:
    return [record for record in session.records if record["kind"] == "check" and record["step"] == number]


def _timed(session: Session) -> list[tuple[int, Step]]:
    return [(number, step) for number, step in enumerate(session.steps) if step.kind == "trial"]


def _stamps(session: Session) -> list[StampRow]:
    rows: list[StampRow] = []
    for number, step in _timed(session):
        before, checks = 0.0, 0
        for record in _checks(session, number):
            checks += 1
            if not record["passed"]:
                continue
            rows.append(
                StampRow(
                    **_who(session, step), first=record["first"], last=record["last"], frames=record["last"] + 1,
                    seconds=round(record["active"], 2), stretch_seconds=round(record["active"] - before, 2),
                    idle=record["idle"], paused=record["paused"], checks=checks, share=record["share"],
                    pixels=record["pixels"], reached=record["ok"],
                )
            )  # fmt: skip
            before, checks = record["active"], 0
    return rows


def _trials(session: Session) -> list[TrialRow]:
    rows: list[TrialRow] = []
    for number, step in _timed(session):
        checks = _checks(session, number)
        if not checks or "whole" not in checks[-1]:
            continue
        last, whole = checks[-1], checks[-1]["whole"]
        rows.append(
            TrialRow(
                **_who(session, step), frames=last["last"] + 1, seconds=round(last["active"], 2), idle=last["idle"],
                paused=last["paused"], checks=len(checks), left=sum(c["passed"] and not c["ok"] for c in checks),
                share=whole["share"], pixels=whole["pixels"], oks=whole["oks"], tlx=_tlx(session, step.period),
                simulated=session.simulated,
            )
        )  # fmt: skip
    return rows


def _ratings(session: Session) -> list[dict[str, Any]]:
    return [
        {
            "person": number_of(session.code),
            "period": session.steps[record["step"]].period,
            "method": str(session.steps[record["step"]].method),
            **record["ratings"],
            "raw_tlx": round(raw_tlx(record["ratings"]), 2),
        }
        for record in session.records
        if record["kind"] == "tlx"
    ]


def _tlx(session: Session, period: int) -> float | None:
    found = [row["raw_tlx"] for row in _ratings(session) if row["period"] == period]
    return found[0] if found else None


def _who(session: Session, step: Step) -> dict[str, Any]:
    clip = session.design.task(step.clip or 0).clip
    return {
        "person": number_of(session.code),
        "sequence": session.cell.sequence,
        "period": step.period,
        "method": str(step.method),
        "clip": clip,
    }
