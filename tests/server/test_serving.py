from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path


def test_the_command_prints_its_address_serves_and_ends_on_ctrl_c(project: Path) -> None:
    command = [sys.executable, "-m", "emc", "edit", "--no-browser", "--project", str(project)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert b"EMC editor" in answer.read()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_a_project_that_is_none_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emc", "edit", "--no-browser", "--project", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("emc: no project at")
    assert len(done.stderr.splitlines()) == 1
