"""The witness outside the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from emc.store.sql import SqlStore
from emc.store.trust.head import HEAD, Head, HeadFile, read_head
from emc.store.trust.links import Link


def test_what_is_written_is_read(tmp_path: Path) -> None:
    held = HeadFile(tmp_path)
    assert held.read() is None
    held.write(Link(123456, 123460, "2026-12-01T10:00:00.000+00:00", b"", bytes(range(32))))
    held.write(Link(7, 8, "2026-12-01T10:00:01.000+00:00", b"", bytes(32)))
    assert held.read() == Head(7, 8, "2026-12-01T10:00:01.000+00:00", "00" * 32)
    held.close()


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 160, b"emc-journal 1 x y z 0 0", b"emc-journal 1 7 8 2026 00 12345678"]
)
def test_a_damaged_one_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / HEAD).write_bytes(content)
    assert read_head(tmp_path) is None


def test_projects_without_one_get_it(written: Path) -> None:
    (written / HEAD).unlink()
    SqlStore.open(written).close()
    head = read_head(written)
    assert head is not None
    assert head.number == 300


def test_the_database_of_another_project(written: Path, made_project: Path, drag, tmp_path: Path) -> None:
    import shutil
    import warnings

    other = Path(shutil.copytree(made_project, tmp_path / "other.emc"))
    with SqlStore.open(other) as store:
        for frame in range(90):
            store.append_edit(drag(frame, x=99.0))
    (written / HEAD).write_bytes((other / HEAD).read_bytes())
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        SqlStore.open(written).close()
    assert "edit 90 is another one than was acknowledged" in str(said[0].message)
