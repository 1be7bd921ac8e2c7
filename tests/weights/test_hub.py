"""The hub's cache and the user's folder, with the hub's own library and files laid out as it lays them out."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub", reason="needs huggingface-hub: pip install 'emc-pose[vitpose]'")

from emc.errors import WeightsError
from emc.weights.hub import cached, commit_of, downloaded, fetching, models_folder, named_on_hub

FIRST, SECOND = "1" * 40, "2" * 40


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def fetched(tmp_path: Path, commit: str, main: bool = False) -> Path:
    """Lay a model out as a download leaves it; main : the hub's newest was that commit."""
    model = tmp_path / "hub" / "models--them--theirs"
    folder = model / "snapshots" / commit
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes(b"{}")
    if main:
        (model / "refs").mkdir(exist_ok=True)
        (model / "refs" / "main").write_text(commit)
    return folder


def test_a_commit_is_found_and_no_other_takes_its_place(tmp_path: Path) -> None:
    first, second = fetched(tmp_path, FIRST), fetched(tmp_path, SECOND, main=True)
    assert cached("them/theirs", FIRST) == first
    assert cached("them/theirs", SECOND) == second
    assert cached("them/theirs", "3" * 40) is None
    assert commit_of(first) == FIRST
    assert commit_of(tmp_path) == ""


def test_without_a_revision_the_one_that_was_fetched_stays(tmp_path: Path) -> None:
    assert cached("them/theirs") is None
    folder = fetched(tmp_path, FIRST, main=True)
    fetched(tmp_path, SECOND)
    assert cached("them/theirs") == folder == named_on_hub("them/theirs")
    assert named_on_hub(f"them/theirs@{SECOND}") == folder.with_name(SECOND)


def test_weights_without_their_configuration_are_not_a_model(tmp_path: Path) -> None:
    (fetched(tmp_path, FIRST) / "config.json").unlink()
    assert cached("them/theirs", FIRST) is None


def test_what_is_no_name_of_the_hub_is_left_alone() -> None:
    assert named_on_hub("some words") is None
    assert named_on_hub(Path("them/theirs")) is None


def test_without_a_network_the_error_is_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMC_MODELS", str(tmp_path / "models"))
    assert fetching("them/theirs") == "hf download them/theirs"
    with pytest.raises(WeightsError, match=rf"hf download them/theirs --revision {FIRST}`.*to {tmp_path}/models/short"):
        downloaded("them/theirs", FIRST, "short")
    with pytest.raises(WeightsError, match=r"hf download them/theirs` where .* or copy .* and give its path"):
        named_on_hub("them/theirs")


def test_a_hub_that_does_not_answer_is_left_after_one_question(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(WeightsError, match=r"could not be downloaded \(URLError\)"):
            downloaded("owner/name", "", "owner/name")
    assert caplog.records == []


def test_the_users_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMC_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert models_folder() == tmp_path / "emc" / "models"
    monkeypatch.setenv("EMC_MODELS", str(tmp_path / "mine"))
    assert models_folder() == tmp_path / "mine"
