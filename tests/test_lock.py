from __future__ import annotations

from pathlib import Path

import pytest
from tools.lock import locked

ROOT = Path(__file__).resolve().parent.parent


def package(name: str, version: str, **hashes: str) -> dict:
    info = {"archive_info": {"hashes": hashes}} if hashes else {}
    return {"metadata": {"name": name, "version": version}, "download_info": info}


def test_each_file_is_named_with_its_hash() -> None:
    report = {"install": [package("Torch", "2.9.0+cpu", sha256="b" * 64), package("numpy", "2.3", sha256="a" * 64)]}
    rows = locked(report).splitlines()[1:]
    assert rows == [f"numpy==2.3 --hash=sha256:{'a' * 64}", f"torch==2.9.0+cpu --hash=sha256:{'b' * 64}"]


def test_a_file_without_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no SHA-256 of numpy 2\.3"):
        locked({"install": [package("numpy", "2.3")]})
