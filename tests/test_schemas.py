"""docs/schemas.md keeps up with the code: what real commands write is described there, with its type."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.people_clips import ghosts, plant_boxes, squatter
from typer.testing import CliRunner

from emc import plugins
from emc.cli.main import app
from emc.pose.records import Box
from emc.workflow.calibration import CalibrationJobs
from emc.workflow.project import open_project

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "schemas.md").read_text(encoding="utf-8")
SMALL = ("calibrate.ensemble_rotations=1", "calibrate.batch=4", "evaluate.bootstrap=20")
TYPES: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "object": (dict,),
}


@dataclass(frozen=True)
class Field:
    """One row of a table: its path of keys, what its type cell says, and the section that this refers to."""

    path: tuple[str, ...]
    kind: str
    section: str

    def fits(self, path: tuple[str, ...]) -> bool:
        return len(path) == len(self.path) and self.begins(path)

    def begins(self, path: tuple[str, ...]) -> bool:
        return len(path) <= len(self.path) and all(
            told == key or (told.startswith("<") and not key.endswith("[]"))
            for told, key in zip(self.path, path, strict=False)
        )


def sections(page: str) -> dict[str, str]:
    """Return anchor -> text of the page's headings, as GitHub makes anchors."""
    parts = re.split(r"(?m)^##+ (.+)$", page)
    return {name.lower().replace(" ", "-"): text for name, text in zip(parts[1::2], parts[2::2], strict=True)}


TEXTS = sections(PAGE)


def rows(section: str) -> list[list[str]]:
    cells = [line.strip("| ").split(" | ") for line in TEXTS[section].splitlines() if line.startswith("| `")]
    assert cells, f"docs/schemas.md has no table under {section}"
    return cells


def fields(section: str) -> list[Field]:
    found: list[Field] = []
    for cell in rows(section):
        link = re.search(r"\]\(#([\w-]+)\)", cell[1])
        found.append(Field(tuple(cell[0].strip("`").split(".")), cell[1], link.group(1) if link else ""))
    return found


def faults(value: Any, section: str) -> list[str]:
    """Return what of a document its section does not describe, or describes as something else."""
    known = fields(section)
    return list(_faults_of(value, (), known, section))


def _faults_of(value: Any, path: tuple[str, ...], known: list[Field], section: str) -> Iterator[str]:
    for key, inner in value.items():
        listed = isinstance(inner, list) and any(isinstance(one, dict) for one in inner)
        exact = _field(known, (*path, key))
        name = f"{section}: {'.'.join((*path, key))}"
        if exact is not None and exact.section:
            yield from _faults_of_section(inner, exact, name)
        elif exact is not None and not _has_type(inner, exact.kind):
            yield f"{name} is {inner!r:.40}, not {exact.kind}"
        elif listed:
            for one in inner:
                yield from _inside(one, (*path, f"{key}[]"), known, section, name)
        elif isinstance(inner, dict) and not (exact is not None and exact.kind.startswith("object, ")):
            yield from _inside(inner, (*path, key), known, section, name)
        elif exact is None and not (inner == [] and any(f.begins((*path, f"{key}[]")) for f in known)):
            yield f"{name} is not described"


def _field(known: list[Field], path: tuple[str, ...]) -> Field | None:
    fitting = [field for field in known if field.fits(path)]
    return next((field for field in fitting if field.path == path), fitting[0] if fitting else None)


def _inside(value: Any, path: tuple[str, ...], known: list[Field], section: str, name: str) -> Iterator[str]:
    if not any(len(field.path) > len(path) and field.begins(path) for field in known):
        yield f"{name} is not described"
    else:
        yield from _faults_of(value, path, known, section)


def _faults_of_section(value: Any, field: Field, name: str) -> Iterator[str]:
    if value is None:
        if "or null" not in field.kind:
            yield f"{name} is null, not {field.kind}"
    elif field.kind.startswith("list of"):
        for one in value:
            yield from faults(one, field.section)
    else:
        yield from faults(value, field.section)


def _has_type(value: Any, told: str) -> bool:
    if value is None:
        return "or null" in told
    if isinstance(value, bool):
        return told.startswith("boolean")
    return isinstance(value, TYPES[re.split(r"[ ,]", told)[0]])


def run(*words: object) -> Any:
    done = CliRunner().invoke(app, [str(word) for word in (*words, "--json")])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def settings(*more: str) -> list[str]:
    return [word for setting in (*SMALL, *more) for word in ("--set", setting)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's project with all that other commands add: a forecast, cached crops, a comparison in 3D."""
    out = tmp_path_factory.mktemp("schemas")
    run("demo", "--quick", "--out", out, "--set", "evaluate.bootstrap=20")
    project = out / "demo.emc"
    # A learning rate too small to change a score: the ladder ends early, and both guarded scores are tested.
    still = settings("calibrate.lr=1e-12", "calibrate.patience=1", "calibrate.guard=both", "calibrate.cache=disk")
    steps = settings("calibrate.ladder=2")
    run("forecast", "--measure", "--sizes", 3, "--steps", 2, "--project", project, *still, *steps)
    clip = next(clip["id"] for clip in run("status", "--project", project)["clips"] if clip["runs"])
    run("predict", "--project", project, "--clip", clip, "--sample", "motion:3")
    run("lift", "--project", project, "--clip", clip)
    run("lift", "--project", project, "--clip", clip, "--compare", "last")
    return out


@pytest.fixture(scope="module")
def project(demo: Path) -> Path:
    return demo / "demo.emc"


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def documents(project: Path) -> list[tuple[str, Any]]:
    with closing(sqlite3.connect(project / "project.sqlite")) as database:
        found = database.execute("SELECT kind, json FROM document").fetchall()
    return [(kind, json.loads(text)) for kind, text in found]


def test_report_is_described(demo: Path) -> None:
    assert faults(read(demo / "report.json"), "report") == []


def test_cards_ladders_models_and_confidences_are_described(project: Path) -> None:
    seen: set[str] = set()
    sorts = {"card.json": "card", "ladder.json": "ladder", "emc.json": "saved-model", "confidence.json": "confidence"}
    for path in sorted(project.glob("models/**/*.json")):
        assert faults(read(path), sorts[path.name]) == [], path
        seen.add(path.name)
    assert seen == set(sorts)
    ladders = [read(path) for path in project.glob("models/forecast-*/*/ladder.json")]
    assert any("stopped" in ladder for ladder in ladders)
    assert all("kept_by" in ladder["ladder"][1] for ladder in ladders)


def test_a_model_read_as_a_rotation_ensemble_says_so_as_described(tmp_path: Path) -> None:
    estimator: Any = plugins.estimator_for("rotation:nano")
    estimator.save(tmp_path)
    plain: Any = plugins.estimator_for("nano")
    plain.save(tmp_path / "plain")
    card = read(tmp_path / "emc.json")
    assert len(card.keys() - read(tmp_path / "plain" / "emc.json").keys()) == 2
    assert faults(card, "saved-model") == []


@pytest.mark.parametrize(
    ("asset", "section"), [("nano", "saved-model"), ("temporal-small", "saved-lifter"), ("detector", "saved-detector")]
)
def test_embedded_models_are_described(asset: str, section: str) -> None:
    card = json.loads((files("emc.assets") / asset / "emc.json").read_text(encoding="utf-8"))
    assert faults(card, section) == []


def test_every_table_and_column_is_described(project: Path) -> None:
    with closing(sqlite3.connect(project / "project.sqlite")) as database:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        tables = [row[0] for row in database.execute(query)]
        columns = {
            table: [
                (row[1], row[2], bool(row[3] or row[5])) for row in database.execute(f'PRAGMA table_info("{table}")')
            ]
            for table in tables
        }
    told = {name.removeprefix("table-"): rows(name) for name in TEXTS if name.startswith("table-")}
    assert set(told) == set(tables)
    for table, found in columns.items():
        described = [(row[0].strip("`"), row[1], row[3].startswith("never")) for row in told[table]]
        # VARCHAR(32) is Alembic's own; a column that may be NULL must say when.
        asked = [(name, re.sub(r"VARCHAR\(\d+\)", "TEXT", kind), never) for name, kind, never in found]
        assert described == asked


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which one person was found twice, and was named the athlete."""
    folder = tmp_path_factory.mktemp("doubled")
    squat = squatter(folder)
    run("new", folder / "p")
    run("add", squat.video, "--project", folder / "p.emc")
    with open_project(folder / "p.emc") as store:
        plant_boxes(store, "squat", [squat.boxes[:, 0], ghosts(squat.boxes[:, 0], "jitter")], [0.9, 0.6])
    run("predict", "--project", folder / "p.emc")
    run("persons", "athlete", "squat", 0, "--project", folder / "p.emc")
    return folder / "p.emc"


def test_every_kind_of_document_is_described(project: Path, doubled: Path, tmp_path: Path) -> None:
    skeleton = tmp_path / "arm.toml"
    skeleton.write_text('name = "arm"\njoints = ["base", "tip"]\nlimbs = [["base", "tip"]]\n', encoding="utf-8")
    run("new", tmp_path / "arm", "--skeleton", skeleton)
    seen: set[str] = set()
    for kind, document in [*documents(project), *documents(doubled), *documents(tmp_path / "arm.emc")]:
        section = "confidence" if kind == "confidence" else f"document-{kind}"
        assert faults(document, section) == []
        seen.add(kind)
    # Where a clip comes from is kept of downloads alone, which need a network: tests/workflow/test_web_clips.py.
    assert seen == {row[0].strip("`") for row in rows("documents")} - {"origin"}


def test_every_file_of_a_project_is_described(project: Path) -> None:
    told = {name for row in rows("project-folder") for name in re.findall(r"`([^`]+)`", row[0])} - {"models/ID/"}
    allowed = [re.sub(r"ID", "[0-9a-f]{12}", re.escape(name)).replace(r"\*", ".+") for name in told]
    allowed = [re.sub(r"_N|CLIP", lambda m: "_[0-9]+" if m.group() == "_N" else ".+", name) for name in allowed]
    for path in sorted(project.rglob("*")):
        name = path.relative_to(project).as_posix()
        if path.is_file():
            assert any(re.fullmatch(f"{one}.+" if one.endswith("/") else one, name) for one in allowed), name


def test_the_crop_index_is_described(project: Path) -> None:
    found = sorted((project / "cache" / "crops").glob("*.json"))
    assert found
    assert faults(read(found[0]), "crop-index") == []


def test_lifted_arrays_are_described(project: Path) -> None:
    found = sorted((project / "lifted").glob("*.npz"))
    assert found
    for path in found:
        with np.load(path) as arrays:
            count = len(arrays["0_frames"])
            told = {row[0].strip("`"): row[1].replace("(T,", f"({count},") for row in rows("lifted-sequences")}
            shapes = {
                name.partition("_")[2]: f"{arrays[name].shape} {arrays[name].dtype}"
                for name in arrays.files
                if name.startswith("0_")
            }
        assert shapes == told


def test_the_calibration_job_is_described(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    folder = tmp_path / "copy.emc"
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("cache", "lifted"))
    (folder / "emc.toml").write_text(
        "[predict]\nthreads = 1\n[calibrate]\nturns = 1\nbatch = 4\nladder = 1\nshares = [0.5]\n"
        "[evaluate]\nbootstrap = 20\n",
        encoding="utf-8",
    )
    jobs = CalibrationJobs(folder)
    jobs.start(predict=False, steps=2)
    while jobs.job()["state"] == "running":
        time.sleep(0.1)
    document = read(folder / "jobs" / "calibration.json")
    assert document["state"] == "done", document
    assert document["total"] is not None
    assert faults(document, "calibration-job") == []
    assert {path.name for path in (folder / "jobs").iterdir()} <= set(
        re.findall(r"`jobs/([\w.]+)`", TEXTS["project-folder"])
    )


def test_boxes_in_a_file_are_described(tmp_path: Path) -> None:
    plugins.make_plugin("formats", "boxes-csv").write(tmp_path / "boxes.csv", {0: [Box(0, (1.0, 2.0, 3.0, 4.0))]})
    header = (tmp_path / "boxes.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.split(",") == [row[0].strip("`") for row in rows("boxes-in-a-file")]


@pytest.mark.parametrize("kind", ["simcc", "heatmap"])
def test_the_onnx_card_is_described(kind: str, project: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    model = next(project.glob("models/*/chosen/emc.json")).parent
    run("export", "onnx", "--model", model, "--out", tmp_path / "model.onnx", "--as", kind)
    card = tomllib.loads((tmp_path / "model.toml").read_text(encoding="utf-8"))
    assert card["family"] == kind
    assert faults(card, "onnx-card") == []


def test_links_between_sections_exist() -> None:
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) <= set(TEXTS) | {"below"}


def test_the_check_finds_what_is_missing_or_of_another_type() -> None:
    assert faults({"sha256": "", "colour": 1}, "card") == ["card: colour is not described"]
    assert faults({"seed": "zero"}, "card") == ["card: seed is 'zero', not integer"]
    assert faults({"mix": {"asked": [8, 2], "eaten": 1}}, "card") == ["card: mix.eaten is not described"]
    assert faults({"ladder": [{"step": None}]}, "ladder") == ["ladder: ladder[].step is None, not integer"]
    inner = {"ladder": [{"validation": {"target": {"pckh": {"leg": {"value": 1.0, "ci95": None, "n": 2.5}}}}}]}
    assert faults(inner, "ladder") == ["figure: n is 2.5, not integer"]
