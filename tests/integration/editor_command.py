"""A command that ends in the editor, as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def started(*words: str | Path, environ: Mapping[str, str] | None = None) -> Iterator[tuple[str, list[str]]]:
    """Run `emc` until it prints an editor's address; gives that, and the lines before it."""
    command = [sys.executable, "-m", "emc", *(str(word) for word in words)]
    environment = {**os.environ, **(environ or {})}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            lines = [process.stdout.readline().strip()]
            while lines[-1] and "?token=" not in lines[-1]:
                lines.append(process.stdout.readline().strip())
            assert "?token=" in lines[-1], lines
            yield lines[-1], lines[:-1]
        finally:
            process.kill()


def is_editor(address: str) -> bool:
    """Return whether the editor's page is at an address."""
    with urllib.request.urlopen(address, timeout=20) as answer:
        return b"EMC editor" in answer.read()
