from __future__ import annotations

from pathlib import Path

import pytest

from emc.errors import ProjectError, UsageError
from emc.store.address import ADDRESS_FILE, checked_address, read_address, write_address
from emc.store.sql import SqlStore


def test_an_address_names_the_driver_that_the_extra_installs() -> None:
    kept = "postgresql+psycopg://ana@db.example:5433/kick?sslmode=require"
    assert checked_address("postgresql://ana@db.example:5433/kick?sslmode=require") == kept
    assert checked_address(kept) == kept


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://ana:secret@db/kick", "holds a password"),
        ("sqlite:///kick.sqlite", "names no PostgreSQL database"),
        ("postgresql://ana@db", "names no PostgreSQL database"),
        ("postgresql://ana@db/kick?passfile=/etc/passwd", "says 'passfile'"),
        ("nothing", "is no address"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_line_without_the_password(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        checked_address(url)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_folder_remembers_its_address(tmp_path: Path) -> None:
    assert read_address(tmp_path) is None
    write_address(tmp_path, "postgresql+psycopg://ana@db/kick")
    assert read_address(tmp_path) == "postgresql+psycopg://ana@db/kick"


@pytest.mark.parametrize("text", ["", "[]", '{"url": 3}', '{"url": "sqlite:///x"}', "[" * 100_000, "\x00"])
def test_a_damaged_address_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / ADDRESS_FILE).write_text(text)
    with pytest.raises(ProjectError, match=ADDRESS_FILE) as caught:
        SqlStore.open(tmp_path)
    assert "\n" not in str(caught.value)
