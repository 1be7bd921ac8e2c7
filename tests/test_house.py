"""The layout of the package, measured: no import circles, no crowded folder, tests where their sources are."""

from __future__ import annotations

import ast
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
import tools.rooms as rooms

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src"
MOST = 16
"""Files of one folder. The commands stand one per file, however many there are."""
CROWDED = {"emc/cli/commands"}


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(file): file for file in SOURCES.rglob("*.py")}


def imported(file: Path, known: set[str]) -> set[str]:
    """Return the modules that a file imports anywhere: at its top, for types, inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return (found & known) - {module_of(file)}


def cycle_in(graph: dict[str, set[str]]) -> list[str]:
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return error.args[1]
    return []


def test_no_module_imports_itself_through_others() -> None:
    graph = {name: imported(file, set(MODULES)) for name, file in MODULES.items()}
    assert sum(map(len, graph.values())) > 1000
    assert cycle_in(graph) == []


def test_a_cycle_would_be_found() -> None:
    assert set(cycle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()})) == {"a", "b", "c"}


def test_no_folder_holds_two_subjects() -> None:
    counts = Counter(str(file.parent.relative_to(SOURCES)) for file in MODULES.values())
    assert {folder: count for folder, count in counts.items() if count > MOST}.keys() <= CROWDED


def test_every_room_says_what_it_is_for() -> None:
    silent = [
        name
        for name, file in MODULES.items()
        if file.name == "__init__.py" and not (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "")
    ]
    assert silent == []


def test_tests_stand_where_their_sources_stand() -> None:
    folders = {str(file.parent.relative_to(SOURCES / "emc")) for file in MODULES.values()}
    own = {"browser", "integration", "."}
    tests = {str(file.parent.relative_to(ROOT / "tests")) for file in (ROOT / "tests").rglob("test_*.py")}
    assert tests - own <= folders


@pytest.mark.parametrize(
    ("module", "importer", "room"),
    [
        ("emc.stages.video.reader", "emc.workflow.run", "emc.stages.video"),
        ("emc.stages.video.reader", "emc.stages.video.index", None),
        ("emc.stages.video", "emc.workflow.run", None),
        ("emc.stages.alerts", "emc.workflow.run", None),
        ("emc.store.rows.clips", "emc.workflow.run", "emc.store"),
        ("emc.store.rows.clips", "emc.store.sql", None),
    ],
)
def test_a_room_is_entered_by_its_door(module: str, importer: str, room: str | None) -> None:
    known = frozenset({"emc.stages.video", "emc.store"})
    assert rooms.room_of(module, importer, known) == room
