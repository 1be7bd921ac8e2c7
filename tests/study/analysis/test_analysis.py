"""Tables, curves and files of a study, from logs written by hand."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.small_study import small_study

from emc.study.analysis.analysis import analyse, mean_interval, simulated_words
from emc.study.analysis.figure import draw_figure
from emc.study.analysis.outcome import csv_text, verdict, write_outcome
from emc.study.analysis.tables import as_rows, study_tables
from emc.study.roster import Study
from emc.study.session.session import Session
from emc.study.session.tlx import SCALES


def stamp(session: Session, seconds: float, *, passed: bool = True, share: float = 1.0) -> None:
    """Write a check as a session does, with figures of our own."""
    state, design = session.state, session.design
    first, last = session.stretches[state.stretch]
    figures = {"counted": 32, "right": 32, "missing": 0, "pixels": 1.5, "oks": 0.98, "share": share}
    record: dict[str, Any] = {"kind": "check", "step": state.step, "stretch": state.stretch, "first": first}
    record |= {"last": last, "active": seconds, "idle": 2.0, "paused": 1.0, **figures, "wrong": {}}
    record |= {"ok": share >= design.goal, "passed": passed, "whole": figures}
    if not passed or state.stretch + 1 < len(session.stretches):
        del record["whole"]
    session._add(record)  # noqa: SLF001


def take_part(study: Study, classic: float, editor: float, tlx: int = 50) -> Session:
    """A participant who needs so many seconds per stretch."""
    session = study.join(simulated=True)
    session.consent("abc")
    for _ in range(2):
        for kind in ("training", "trial"):
            assert session.step.kind == kind
            session.begin(session.state.step)
            pace = classic if session.step.method == "classic" else editor
            if kind == "trial":
                stamp(session, 0.5 * pace, passed=False, share=0.5)
            for number in range(1, len(session.stretches) + 1):
                stamp(session, pace * number)
        session.rate(session.state.step, dict.fromkeys(SCALES, tlx))
    session.comment("fine" if classic > 100 else "")
    return session


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    found = Study(small_study(tmp_path_factory.mktemp("study")))
    for classic, editor in ((90.0, 30.0), (120.0, 40.0), (60.0, 15.0), (150.0, 60.0)):
        take_part(found, classic, editor)
    unfinished = found.join()
    unfinished.consent("abc")
    return found


def test_mean_with_students_interval_by_hand():
    found = mean_interval([1.0, 2.0, 3.0, 6.0])
    # Mean 3, standard deviation sqrt(14 / 3), t 3.182446 with 3 degrees of freedom, divided by 2.
    assert found.value == 3.0 and found.ci95 is not None
    assert found.ci95[1] - 3.0 == pytest.approx(3.182446 * math.sqrt(14 / 3) / 2, abs=1e-5)
    assert mean_interval([1.0, 2.0]).ci95 is None
    assert mean_interval([]).n == 0


def test_stamps_tell_cumulative_time_and_what_each_stretch_took(study: Study):
    tables = study_tables(study.sessions())
    rows = [row for row in tables.stamps if row.person == "P01" and row.method == "classic"]
    assert [(row.frames, row.seconds, row.stretch_seconds, row.checks) for row in rows] == [
        (2, 90.0, 90.0, 2),
        (4, 180.0, 90.0, 1),
    ]
    assert (tables.people, tables.finished, len(tables.trials)) == (5, 4, 8)


def test_curves_are_means_over_people(study: Study):
    result = analyse(study_tables(study.sessions()))
    points = result.curves["classic"]
    assert [point.frames for point in points] == [2, 4]
    assert points[1].seconds.value == pytest.approx(210.0)  # 2 x mean of 90, 120, 60, 150
    assert points[1].seconds.n == 4
    assert result.summary["editor"]["seconds_per_frame"].value == pytest.approx(2 * 36.25 / 4)
    assert result.summary["editor"]["tlx"].value == 50.0
    assert result.simulated == 4


def test_the_ratio_is_that_of_geometric_means(study: Study):
    fit = analyse(study_tables(study.sessions())).fit
    assert fit is not None and fit.ratio.ci95 is not None
    # Everybody did both: the mean of log(3), log(3), log(4), log(2.5), in equal groups.
    assert fit.ratio.value == pytest.approx((3 * 3 * 4 * 2.5) ** 0.25, rel=0.02)
    assert fit.people == 4


def test_all_files_are_written_and_say_the_same(study: Study, tmp_path: Path):
    document = write_outcome(study, tmp_path / "results")
    files = {path.name for path in (tmp_path / "results").iterdir()}
    assert files == {"trials.csv", "stamps.csv", "tlx.csv", "figure.svg", "figure.png", "study.html", "study.json"}
    assert document["ratio"]["people"] == 4 and document["people_for_twofold"] >= 4
    page = (tmp_path / "results" / "study.html").read_text()
    assert "times as fast as the classic method" in page and "<svg" in page and "P02" in page
    assert not re.search(r"<script|<link|<img|url\(http|src=", page)  # It needs nothing from elsewhere.
    with (tmp_path / "results" / "trials.csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert len(rows) == 8 and rows[0]["simulated"] == "True"


def test_an_empty_study_is_analysed_too(tmp_path: Path):
    empty = Study(small_study(tmp_path))
    document = write_outcome(empty, tmp_path / "results")
    assert (document["people"], document["ratio"]) == (0, None)
    assert "Not both methods" in (tmp_path / "results" / "study.html").read_text()


def test_verdict_says_when_it_may_be_chance(study: Study):
    result = analyse(study_tables(study.sessions()))
    assert verdict(result).startswith("Simulated, not people: The editor was 3.")
    assert "too few" in verdict(analyse(study_tables(study.sessions()[:2])))


def test_csv_leaves_unknown_values_empty_and_quotes_commas():
    text = csv_text(*as_rows([{"a": None, "b": "x, y"}]))
    assert list(csv.reader(io.StringIO(text))) == [["a", "b"], ["", "x, y"]]
    assert as_rows([]) == ([], [])


def test_scripts_are_named_where_the_finding_and_the_figure_stand(study: Study):
    tables = study_tables(study.sessions())
    result = analyse(tables)
    assert simulated_words(result) == "simulated, not people"
    assert simulated_words(replace(result, simulated=1)) == "1 of 4 simulated"
    assert simulated_words(replace(result, simulated=0)) == ""
    assert verdict(replace(result, simulated=0)).startswith("The editor was 3.")
    times, shares = draw_figure(result, tables).axes
    assert times.get_title(loc="left") == "Working time so far (simulated, not people)"
    # All shares are 1: the axis shows five points all the same, not the rounding error between them.
    low, high = shares.get_ylim()
    assert low <= 95
    assert high == pytest.approx(100.8)
