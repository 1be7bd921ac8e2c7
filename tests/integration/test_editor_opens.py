"""The editor as commands open it: in a browser, at the address that they print. `emc demo --serve`: in test_loop.py."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from tests.integration.conftest import Cli
from tests.integration.editor_command import is_editor, started

from emc.workflow.samples.rendered import ClipFiles


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    """A file that holds the address that was opened in the browser, on the path in front of the system's opener."""
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$1" > {tmp_path / "opened"}\n')
    opener.chmod(0o755)
    return tmp_path / "opened"


def given_to_browser(opened: Path) -> str:
    """The address that the browser got; the command prints it first, and opens it then."""
    until = time.monotonic() + 20
    while time.monotonic() < until and not (opened.exists() and opened.read_text().strip()):
        time.sleep(0.05)
    return opened.read_text().strip() if opened.exists() else ""


@pytest.mark.skipif(sys.platform != "linux", reason="the stand-in for the system's opener is Linux's")
def test_run_ends_in_the_editor_opened_in_a_browser(rendered: list[ClipFiles], tmp_path: Path, opened: Path) -> None:
    path = f"{opened.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    words = ("run", rendered[0].video, "--out", tmp_path / "out", "--estimator", "nano")
    with started(*words, environ={"PATH": path}) as (address, before):
        assert is_editor(address)
        assert given_to_browser(opened) == address
    assert any("overlay_" in line for line in before)


def test_demo_refuses_to_serve_a_script(tmp_path: Path, cli: Cli) -> None:
    done = cli("demo", "--quick", "--out", tmp_path / "out", "--serve", "--json")
    assert done.exit_code == 2
    assert "--serve" in done.stderr
    assert not (tmp_path / "out").exists()


def test_other_hosts_need_a_password_before_anything_is_served(project: Path, cli: Cli) -> None:
    done = cli("edit", "--no-browser", "--host", "0.0.0.0", "--project", project)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "set a password" in done.stderr
