"""Commands in messages are typed as they stand: by name where the shell finds them, else by their path."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emc.cli.programs import as_typed, command_here

SCRIPTS = Path(sys.executable).parent


def test_by_name_where_the_shell_finds_this_environments_own() -> None:
    assert command_here("emc", "/", str(SCRIPTS)) == "emc"
    assert as_typed("run `emc models get movenet-thunder` first") == "run `emc models get movenet-thunder` first"


def test_by_its_path_in_a_checkout_that_is_not_activated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SCRIPTS.parent.parent)
    monkeypatch.setenv("PATH", "/usr/bin")
    near = (SCRIPTS / "emc").relative_to(SCRIPTS.parent.parent)
    assert as_typed("next, `emc add VIDEO`; or `pip install x`") == (
        f"next, `{near} add VIDEO`; or `{near.with_name('pip')} install x`"
    )
    assert as_typed("emc predict; `emcee run`; see `.venv/bin/emc`") == "emc predict; `emcee run`; see `.venv/bin/emc`"
    told = as_typed("`emc --version`").strip("`")
    done = subprocess.run(told, shell=True, capture_output=True, text=True, env={**os.environ, "PATH": "/usr/bin:/bin"})
    assert done.stdout.startswith("emc ")


def test_another_environments_command_of_that_name_is_not_meant(tmp_path: Path) -> None:
    other = tmp_path / "emc"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    assert command_here("emc", "/nowhere", str(tmp_path)) == str(SCRIPTS / "emc")


@pytest.mark.parametrize("quoted", ["`pip install 'emc-pose[web]'`", "pip install 'emc-pose[web]'"])
def test_an_extra_is_named_by_its_packages(quoted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(SCRIPTS))
    monkeypatch.chdir("/")
    assert as_typed(f"get it: {quoted}") == "get it: `pip install 'yt-dlp>=2025.1'`"
    assert as_typed("`pip install 'emc-pose[vitpose]'`").count(">=") == 2
    assert as_typed("pip install 'emc-pose[none-such]'") == "pip install 'emc-pose[none-such]'"


def test_a_program_without_a_script_is_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "a b" / "python"))
    assert command_here("emc", "/nowhere", "/none") == f'"{tmp_path / "a b" / "python"}" -m emc'
