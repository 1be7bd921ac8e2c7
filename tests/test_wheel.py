"""The wheel: what it says of itself, and (slow) what it does in an environment of its own, away from the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

from emc.version import __version__

ROOT = Path(__file__).resolve().parents[1]


def test_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    editor = json.loads((ROOT / "web" / "package.json").read_text("utf-8"))
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.M)
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert cited is not None
    assert newest is not None
    assert {project["version"], editor["version"], cited[1], newest[1]} == {__version__}


def test_whatever_the_front_end_bundles_has_its_licence() -> None:
    bundled = json.loads((ROOT / "web" / "package.json").read_text("utf-8"))["dependencies"]
    assert {file.stem for file in (ROOT / "licenses").glob("*.txt")} == set(bundled)
    for name in bundled:
        text = (ROOT / "licenses" / f"{name}.txt").read_text("utf-8")
        assert "MIT License" in text and "Copyright" in text
        theirs = ROOT / "web" / "node_modules" / name / "LICENSE"
        assert not theirs.is_file() or theirs.read_text("utf-8") == text


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of a new environment that holds the wheel; what EMC needs is lent by the tests' environment."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, str(ROOT / "tools" / "wheel.py"), str(folder)], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=False)
    scripts = folder / "env" / "bin"
    site = sysconfig.get_path("purelib", vars={"base": str(folder / "env"), "platbase": str(folder / "env")})
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python")]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", str(wheel)], check=True)
    # A plain path: the .pth files in that folder, the editable EMC's among them, are not read.
    (Path(site) / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return scripts


def run(scripts: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment in a folder, nothing of the checkout on its paths."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    env |= {"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run([str(scripts / words[0]), *words[1:]], cwd=folder, env=env, capture_output=True, text=True)


@pytest.mark.slow
def test_the_wheel_is_what_runs(installed: Path, tmp_path: Path) -> None:
    where = run(installed, tmp_path, "python", "-c", "import emc; print(emc.__file__)")
    assert where.stdout.startswith(str(installed.parent)), where.stderr
    doctor = run(installed, tmp_path, "emc", "doctor", "--json")
    assert doctor.returncode == 0, doctor.stdout
    assert json.loads(doctor.stdout)["ok"] is True
    models = run(installed, tmp_path, "emc", "models", "--json")
    assert {"nano", "movenet-thunder", "temporal-small"} <= set(re.findall(r'"name": "([^"]+)"', models.stdout))


@pytest.mark.slow
def test_the_whole_loop_and_the_commands_that_it_prints(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "emc", "demo", "--quick", "--out", "demo")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo" / "report.html").stat().st_size > 100_000
    (project,) = (tmp_path / "demo").glob("*.emc")
    assert run(installed, tmp_path, "emc", "alerts", "--project", str(project)).returncode == 0
    missing = run(installed, tmp_path, "emc", "new", "x/y/z")
    told = run(installed, tmp_path, "emc", "status", "--project", str(tmp_path / "none.emc"))
    for command in re.findall(r"`([^`]+)`", missing.stderr + told.stderr + done.stderr + done.stdout):
        program = command.split()[0]
        assert Path(program).is_file() or program in ("cd", "python"), command
