from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from emc.errors import StorageError
from emc.workflow.files import read_json, write_bytes, write_json


def test_json_round_trip_turns_nan_into_null(tmp_path: Path) -> None:
    write_json(tmp_path / "a" / "d.json", {"x": float("nan"), "y": np.float32(0.5), "z": [np.array([1, 2]), (3,)]})
    assert read_json(tmp_path / "a" / "d.json") == {"x": None, "y": 0.5, "z": [[1, 2], [3]]}
    assert read_json(tmp_path / "none.json") is None


def test_a_failed_write_names_the_file_and_keeps_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "d.json"
    write_json(target, {"kept": True})
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(StorageError, match=r"cannot write .*file/d\.json"):
        write_bytes(blocked / "d.json", b"x")
    assert json.loads(target.read_text()) == {"kept": True}


def test_a_full_disk_is_told_and_leaves_the_old_file(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=False)
    if mounted.returncode != 0:
        pytest.skip("cannot mount a small file system here")
    try:
        write_bytes(disk / "state", b"old")
        with pytest.raises(StorageError, match="the disk is full"):
            write_bytes(disk / "state", bytes(1_000_000))
        assert (disk / "state").read_bytes() == b"old"
        assert [path.name for path in disk.iterdir()] == ["state"]
    finally:
        subprocess.run(["umount", str(disk)], check=False)
