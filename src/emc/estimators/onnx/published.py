"""RTMPose by name (Jiang et al., arXiv 2303.07399): published ONNX files, found or fetched, their checksum kept."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from emc.errors import WeightsError
from emc.estimators.onnx.estimator import LoadedModel, OnnxEstimator
from emc.interfaces import ModelInfo
from emc.pose.skeletons import COCO17, Skeleton
from emc.weights.hub import models_folder

LICENCE = "Apache-2.0 (MMPose, OpenMMLab)"
AP_SOURCE = "github.com/Tau-J/rtmlib model zoo: trained on seven data sets, COCO val 2017"
INSTALL = "pip install 'emc-pose[onnx]'"
_FOLDER = "https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/onnx_sdk/"


@dataclass(frozen=True, slots=True)
class PublishedOnnx:
    """One published file with an input of 256 x 192 and COCO-17 joints.

    address : of the archive that holds it. megabytes : its size, rounded. sha256 : of the ONNX file, where somebody
    has published it; "" = that of the first use is kept, and every later use is held to it.
    """

    name: str
    address: str
    coco_ap: float
    parameters: int
    megabytes: int
    sha256: str = ""

    def facts(self) -> dict[str, Any]:
        """Return what is published of it, as `ModelInfo.extra` holds it."""
        return {"coco_ap": self.coco_ap, "coco_ap_source": AP_SOURCE, "megabytes": self.megabytes}


PUBLISHED: Mapping[str, PublishedOnnx] = MappingProxyType(
    {
        one.name: one
        for one in (
            PublishedOnnx(
                "rtmpose-t", _FOLDER + "rtmpose-t_simcc-body7_pt-body7_420e-256x192-026a1439_20230504.zip",
                65.9, 3_340_000, 13, "a6c2f6a3896a4d51131d14d7a80a3d08b50f559af5a58a45d5b098aef510a70f",
            ),
            PublishedOnnx(
                "rtmpose-s", _FOLDER + "rtmpose-s_simcc-body7_pt-body7_420e-256x192-acd4a1ef_20230504.zip",
                69.7, 5_470_000, 22,
            ),
            PublishedOnnx(
                "rtmpose-m", _FOLDER + "rtmpose-m_simcc-body7_pt-body7_420e-256x192-e48f03d0_20230504.zip",
                74.9, 13_590_000, 54,
            ),
            PublishedOnnx(
                "rtmpose-l", _FOLDER + "rtmpose-l_simcc-body7_pt-body7_420e-256x192-4dba18fc_20230504.zip",
                76.7, 27_660_000, 111,
            ),
        )
    }
)  # fmt: skip


class RtmPose(OnnxEstimator):
    """RTMPose-m of OpenMMLab; it predicts, and cannot be trained.

    weights : a file of one's own. None = the published file `variant`, looked for, and where need be downloaded, when
    it is first needed: describing it costs nothing. Raises `WeightsError` that names file and remedy.
    """

    variant = "rtmpose-m"

    @property
    def skeleton(self) -> Skeleton:
        """COCO-17, or what the card of a file of one's own says."""
        return COCO17 if self._model is None else self._model.skeleton

    def describe(self) -> ModelInfo:
        """Return name, skeleton, input size, licence and where the file is, loading nothing."""
        published = PUBLISHED[self.variant]
        if self._model is None:
            return ModelInfo(
                published.name, "estimator", COCO17.name, (192, 256), LICENCE, False, published.parameters,
                describe_location(published), f"COCO AP {published.coco_ap}", published.facts(),
            )  # fmt: skip
        info = self._model.describe()
        known = self._weights is not None and self._weights in places(published)
        return replace(info, licence=LICENCE, extra=published.facts() | dict(info.extra)) if known else info

    def _loaded(self) -> LoadedModel:
        if self._model is None:
            self._weights = find_file(PUBLISHED[self.variant])
            self._model = LoadedModel(self._weights)
        return self._model


class RtmPoseT(RtmPose):
    """RTMPose-t."""

    variant = "rtmpose-t"


class RtmPoseS(RtmPose):
    """RTMPose-s."""

    variant = "rtmpose-s"


class RtmPoseL(RtmPose):
    """RTMPose-l."""

    variant = "rtmpose-l"


def places(published: PublishedOnnx) -> tuple[Path, ...]:
    """Return where a file may be: ``NAME.onnx`` in the user's folder of models, and where rtmlib keeps it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rtmlib"
    theirs = Path(os.environ.get("TORCH_HOME") or cache).expanduser() / "hub" / "checkpoints"
    stem = published.address.rsplit("/", 1)[-1].removesuffix(".zip")
    return models_folder() / f"{published.name}.onnx", theirs / f"{stem}.onnx"


def describe_location(published: PublishedOnnx) -> str:
    """Return in words where a published file is, or how to get it."""
    here = next((place for place in places(published) if place.is_file()), None)
    needs = "" if importlib.util.find_spec("onnxruntime") else f"; needs {INSTALL}"
    if here is not None:
        return f"{here}{needs}"
    return f"not here: {published.megabytes} MB from {published.address}, fetched on first use{needs}"


def find_file(published: PublishedOnnx) -> Path:
    """Return where a published file is, downloading it once where need be.

    Raises `WeightsError` where it can be neither found nor fetched, and where it is not the file that it was.
    """
    here = next((place for place in places(published) if place.is_file()), None)
    found = _downloaded(published) if here is None else here
    checked_digest(found, published)
    return found


def checked_digest(file: Path, published: PublishedOnnx) -> str:
    """Return a file's SHA-256; on first use it is kept beside the user's models, later it must be the same.

    Raises `WeightsError` where it differs from what was published or kept.
    """
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    kept = models_folder() / f"{published.name}.sha256"
    wanted = published.sha256 or (kept.read_text(encoding="utf-8").strip() if kept.is_file() else "")
    if wanted and digest != wanted:
        raise WeightsError(
            f"{file} has SHA-256 {digest[:12]}..., {'published' if published.sha256 else f'{kept} holds'} is "
            f"{wanted[:12]}...: delete it and get it again, or give a file of your own by its path"
        )
    if not wanted:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(digest + "\n", encoding="utf-8")
    return digest


def _downloaded(published: PublishedOnnx) -> Path:
    import torch

    place = places(published)[0]
    archive, part = place.with_suffix(".zip.part"), place.with_suffix(".onnx.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(published.address, str(archive), progress=False)
        part.write_bytes(_only_model(archive))
        part.replace(place)
    except Exception as error:  # noqa: BLE001  # whatever the network stack raises, the remedy is the same
        part.unlink(missing_ok=True)
        raise WeightsError(
            f"{published.name} is not on this machine and could not be downloaded ({type(error).__name__}: {error}): "
            f"get {published.address} where there is a network and put the .onnx file in it to {place}"
        ) from error
    finally:
        archive.unlink(missing_ok=True)
    return place


def _only_model(archive: Path) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if name.endswith(".onnx")]
        if len(names) != 1:
            raise ValueError(f"the archive holds {len(names)} ONNX files instead of one")
        return opened.read(names[0])
