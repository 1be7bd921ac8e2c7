"""RTMPose by name: where its file is looked for, what is fetched, and that it stays the file that it was."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="needs ONNX Runtime: pip install 'emc-pose[onnx]'")

from tests.estimators.onnx.onnx_models import simcc_model

import emc.estimators.onnx.published as onnx_published
import emc.plugins as plugins
from emc.errors import WeightsError
from emc.estimators.onnx.estimator import OnnxEstimator
from emc.estimators.onnx.published import PUBLISHED_ONNX, RtmPose, describe_location, find_file, places
from emc.pose.records import Box
from emc.weights.published import OFFLINE
from emc.workflow.models import get_models
from emc.workflow.progress import Silent


@pytest.fixture(autouse=True)
def _nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMC_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "rtmlib"))
    for name in OFFLINE:
        monkeypatch.delenv(name, raising=False)


def archive(tmp_path: Path, names: tuple[str, ...] = ("sdk/end2end.onnx",)) -> str:
    """The address of an archive as OpenMMLab packs them."""
    model = simcc_model(tmp_path / "made.onnx", batch=1)
    with zipfile.ZipFile(tmp_path / "served.zip", "w") as opened:
        opened.writestr("sdk/pipeline.json", "{}")
        for name in names:
            opened.write(model, name)
    return (tmp_path / "served.zip").as_uri()


@pytest.mark.parametrize(("name", "ap"), [("t", 65.9), ("s", 69.7), ("m", 74.9), ("l", 76.7)])
def test_every_name_is_a_plug_in_that_describes_without_loading(name: str, ap: float) -> None:
    estimator = plugins.estimator_for(f"rtmpose-{name}")
    info = estimator.describe()
    assert (info.name, info.skeleton, info.input_size, info.trainable) == (
        f"rtmpose-{name}", "coco17", (192, 256), False,
    )  # fmt: skip
    assert info.extra["coco_ap"] == ap
    assert info.weights.startswith("not here: ")
    assert f"rtmpose-{name}_simcc-body7" in info.weights
    assert len(estimator.skeleton) == 17


def test_a_download_is_unpacked_kept_and_predicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = replace(PUBLISHED_ONNX["rtmpose-m"], address=archive(tmp_path), sha256="")
    monkeypatch.setattr(onnx_published, "PUBLISHED_ONNX", {"rtmpose-m": published})
    image = np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    estimator = RtmPose()
    found = estimator.predict([image], [[Box(0, (5, 5, 70, 80))]])[0]
    expected = OnnxEstimator(tmp_path / "made.onnx").predict([image], [[Box(0, (5, 5, 70, 80))]])[0]
    np.testing.assert_array_equal(found.xy, expected.xy)
    kept = tmp_path / "models"
    assert sorted(path.name for path in kept.iterdir()) == ["rtmpose-m.onnx", "rtmpose-m.sha256"]
    assert estimator.describe().weights == describe_location(published) == str(kept / "rtmpose-m.onnx")
    assert estimator.describe().extra["coco_ap"] == 74.9
    (tmp_path / "served.zip").unlink()
    again = pickle.loads(pickle.dumps(RtmPose()))  # noqa: S301  # as another process gets it
    np.testing.assert_array_equal(again.predict([image], [[Box(0, (5, 5, 70, 80))]])[0].xy, expected.xy)


def test_a_file_that_changed_since_its_first_use_is_refused(tmp_path: Path) -> None:
    published = PUBLISHED_ONNX["rtmpose-l"]
    file = tmp_path / "models" / "rtmpose-l.onnx"
    file.parent.mkdir()
    file.write_bytes(b"first")
    assert find_file(published) == file
    assert (file.with_suffix(".sha256")).read_text().strip() == hashlib.sha256(b"first").hexdigest()
    file.write_bytes(b"second")
    with pytest.raises(WeightsError, match=r"rtmpose-l\.onnx has SHA-256 .*rtmpose-l\.sha256 holds is a7937b64b8ca"):
        find_file(published)


def test_a_checksum_that_is_known_is_held_to_at_once(tmp_path: Path) -> None:
    file = tmp_path / "models" / "rtmpose-t.onnx"
    file.parent.mkdir()
    file.write_bytes(b"another")
    with pytest.raises(WeightsError, match=r"published is a6c2f6a3896a"):
        find_file(PUBLISHED_ONNX["rtmpose-t"])


def test_what_rtmlib_fetched_is_used(tmp_path: Path) -> None:
    theirs = places(PUBLISHED_ONNX["rtmpose-l"])[1]
    assert (
        theirs == tmp_path / "rtmlib/hub/checkpoints/rtmpose-l_simcc-body7_pt-body7_420e-256x192-4dba18fc_20230504.onnx"
    )
    theirs.parent.mkdir(parents=True)
    simcc_model(theirs)
    assert find_file(PUBLISHED_ONNX["rtmpose-l"]) == theirs
    assert (tmp_path / "models" / "rtmpose-l.sha256").is_file()


@pytest.mark.parametrize("names", [(), ("a.onnx", "b.onnx")])
def test_an_archive_of_another_kind_leaves_nothing_behind(tmp_path: Path, names: tuple[str, ...]) -> None:
    published = replace(PUBLISHED_ONNX["rtmpose-l"], address=archive(tmp_path, names))
    with pytest.raises(WeightsError, match=rf"{len(names)} ONNX files instead of one\): get file://.*put the \.onnx"):
        find_file(published)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_silent_source_is_passed_over_for_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address, first = archive(tmp_path), (tmp_path / "away").as_uri() + "/"
    digest = hashlib.sha256((tmp_path / "made.onnx").read_bytes()).hexdigest()
    monkeypatch.setattr(onnx_published, "_FOLDER", first)
    monkeypatch.setattr(onnx_published, "_COPIES", address.removesuffix("served.zip"))
    published = replace(PUBLISHED_ONNX["rtmpose-m"], address=first + "served.zip", sha256=digest)
    assert find_file(published).read_bytes() == (tmp_path / "made.onnx").read_bytes()


def test_a_copy_with_another_checksum_is_never_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address, first = archive(tmp_path), (tmp_path / "away").as_uri() + "/"
    monkeypatch.setattr(onnx_published, "_FOLDER", first)
    monkeypatch.setattr(onnx_published, "_COPIES", address.removesuffix("served.zip"))
    published = replace(PUBLISHED_ONNX["rtmpose-m"], address=first + "served.zip")
    with pytest.raises(WeightsError, match=r"No such file.*ValueError: another checksum than the one published\)"):
        find_file(published)
    assert list((tmp_path / "models").iterdir()) == []


def test_only_what_can_be_checked_has_a_second_source() -> None:
    assert [len(PUBLISHED_ONNX[f"rtmpose-{size}"].sources) for size in "tsml"] == [2, 2, 2, 1]
    for one in PUBLISHED_ONNX.values():
        assert all(source.endswith(one.address.rsplit("/", 1)[-1]) for source in one.sources)
        assert len({source.split("/")[2] for source in one.sources}) == len(one.sources)


def test_models_get_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = replace(PUBLISHED_ONNX["rtmpose-l"], address=archive(tmp_path))
    monkeypatch.setattr(onnx_published, "PUBLISHED_ONNX", {"rtmpose-l": published})
    (row,) = get_models(["rtmpose-l"], Silent())["models"]
    assert (row["folder"], row["megabytes"]) == (str(tmp_path / "models" / "rtmpose-l.onnx"), 111)


def test_switched_off_downloads_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMC_OFFLINE", "1")
    with pytest.raises(WeightsError, match="downloads are switched off: get https://download.openmmlab.com/"):
        find_file(PUBLISHED_ONNX["rtmpose-l"])


def test_without_a_network_the_error_says_where_to_put_the_file(tmp_path: Path) -> None:
    published = replace(PUBLISHED_ONNX["rtmpose-m"], address=(tmp_path / "gone.zip").as_uri())
    with pytest.raises(WeightsError, match=r"could not be downloaded .*put the \.onnx file in it to .*rtmpose-m\.onnx"):
        find_file(published)


def test_a_file_of_ones_own_is_taken_as_it_is(tmp_path: Path) -> None:
    file = simcc_model(tmp_path / "mine.onnx")
    estimator = plugins.estimator_for(f"rtmpose-m:{file}")
    assert estimator.describe().weights == str(file)
    assert "coco_ap" not in estimator.describe().extra
    assert plugins.estimator_for(f"onnx:{file}").describe().weights == str(file)
