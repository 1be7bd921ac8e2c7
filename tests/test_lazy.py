from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

import pytest

from emc.lazy import LazyLibrary, lazy_door

SOURCES = Path(__file__).resolve().parents[1] / "src" / "emc"
DOORS = sorted(
    ".".join(("emc", *file.parent.relative_to(SOURCES).parts))
    for file in SOURCES.rglob("__init__.py")
    if "lazy_door(" in file.read_text(encoding="utf-8")
)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package on disk with one module behind its door, which counts how often it is loaded."""
    package = tmp_path / "room_for_a_test"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from emc.lazy import lazy_door\n"
        "__getattr__, __all__ = lazy_door(__name__, {'room_for_a_test.inside': ['value', 'absent']})\n"
    )
    (package / "inside.py").write_text("value = ['loaded']\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "room_for_a_test"
    for name in [name for name in sys.modules if name.startswith("room_for_a_test")]:
        del sys.modules[name]


def test_a_name_is_loaded_when_it_is_first_used(room: str) -> None:
    door = importlib.import_module(room)
    assert f"{room}.inside" not in sys.modules
    assert door.__all__ == ["absent", "value"]
    assert door.value == ["loaded"]
    assert door.__dict__["value"] is sys.modules[f"{room}.inside"].value


def test_a_name_that_is_not_there_is_told_by_the_door(room: str) -> None:
    door = importlib.import_module(room)
    with pytest.raises(AttributeError, match="module 'room_for_a_test' has no attribute 'other'"):
        _ = door.other
    with pytest.raises(ImportError, match="cannot import name 'other'"):
        exec(f"from {room} import other")
    with pytest.raises(AttributeError, match="absent"):
        _ = door.absent


def test_a_library_is_loaded_with_its_first_attribute(room: str) -> None:
    library = LazyLibrary(f"{room}.inside")
    assert room not in sys.modules
    assert library.value == ["loaded"]
    assert library.__dict__["value"] is library.value


def test_a_missing_library_is_told_on_first_use() -> None:
    library = LazyLibrary("a_library_that_nobody_has")
    with pytest.raises(ModuleNotFoundError, match="a_library_that_nobody_has"):
        _ = library.anything


@pytest.mark.parametrize("door", DOORS)
def test_a_lazy_door_gives_what_type_checkers_see(door: str) -> None:
    module = importlib.import_module(door)
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    typed = {
        (name.name, node.module)
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    (table,) = (
        ast.literal_eval(node.args[1])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "lazy_door"
    )
    assert {(name, place) for place, names in table.items() for name in names} == typed
    for name, place in typed:
        assert getattr(module, name) is getattr(importlib.import_module(str(place)), name)
        # Importing a submodule of the same name would put the module in the place of what it gives.
        room = Path(module.__file__).parent
        assert not (room / f"{name}.py").exists()
        assert not (room / name).is_dir()


def test_the_doors_that_start_every_command_are_lazy() -> None:
    assert {"emc", "emc.store"} <= set(DOORS)
    assert lazy_door("emc", {})[1] == []
