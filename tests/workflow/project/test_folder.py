"""Which project is meant, and what is said where none or several could be."""

from __future__ import annotations

from pathlib import Path

import pytest

from emc.errors import UsageError
from emc.workflow.project.folder import find_project, new_project, project_folder


def test_the_suffix_is_added_once() -> None:
    assert project_folder("karate") == Path("karate.emc")
    assert project_folder(Path("a") / "karate.emc") == Path("a") / "karate.emc"


def test_the_only_project_of_a_folder_is_meant(tmp_path: Path) -> None:
    (tmp_path / "notes.emc").write_text("a file, no project", encoding="utf-8")
    with pytest.raises(UsageError, match=r"no project in .*: make one with `emc new NAME`"):
        find_project(None, tmp_path)
    new_project(tmp_path / "karate").close()
    assert find_project(None, tmp_path) == tmp_path / "karate.emc"


def test_of_several_projects_one_must_be_named(tmp_path: Path) -> None:
    for name in ("walk", "karate"):
        new_project(tmp_path / name).close()
    with pytest.raises(UsageError, match=r"several projects in .* \(karate\.emc, walk\.emc\): choose one"):
        find_project(None, tmp_path)
    assert find_project(tmp_path / "walk", tmp_path) == tmp_path / "walk.emc"
    assert find_project(tmp_path / "walk.emc", tmp_path) == tmp_path / "walk.emc"
