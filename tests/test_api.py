from __future__ import annotations

import subprocess
import sys

import emc


def test_every_public_name_loads() -> None:
    for name in emc.__all__:
        assert getattr(emc, name) is not None


def test_help_needs_no_heavy_library() -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom emc.cli.main import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "heavy = {'torch', 'numpy', 'cv2', 'scipy', 'sqlalchemy', 'pydantic', 'matplotlib', 'av'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
