"""Documentation keeps up with the code: every command, setting and plug-in is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from emc.config import Section, Settings
from emc.plugins import GROUPS, plugin_names

ROOT = Path(__file__).resolve().parents[1]


def test_reference_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "tools/docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("group", GROUPS)
def test_every_plugin_is_documented(group: str) -> None:
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    names = plugin_names(group)
    assert names
    missing = [name for name in names if f"| `emc.{group}` | `{name}` |" not in page]
    assert missing == []


def test_every_setting_has_a_meaning() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for section, field in Settings.model_fields.items():
        kind = field.annotation
        assert isinstance(kind, type)
        assert issubclass(kind, Section)
        for name, setting in kind.model_fields.items():
            assert setting.description, f"{section}.{name} has no description"
            assert f"`{section}.{name}`" in page


def test_readme_starts_with_the_two_commands() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:30])
    assert "make demo" in first_screen
    assert "make test" in first_screen


def test_changelog_names_the_version() -> None:
    import emc

    assert f"## {emc.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
