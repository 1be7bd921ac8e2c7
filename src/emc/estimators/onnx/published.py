"""RTMPose by name (Jiang et al., arXiv 2303.07399): published ONNX files, found or fetched, their checksum kept."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from emc.errors import WeightsError
from emc.estimators.onnx.estimator import LoadedModel, OnnxEstimator
from emc.interfaces import ModelInfo, Progress
from emc.pose.skeletons import COCO17, Skeleton
from emc.weights.hub import models_folder
from emc.weights.published import offline

LICENCE = "Apache-2.0 (MMPose, OpenMMLab)"
AP_SOURCE = "github.com/Tau-J/rtmlib model zoo: trained on seven data sets, COCO val 2017"
INSTALL = "pip install 'emc-pose[onnx]'"
_FOLDER = "https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/onnx_sdk/"
_COPIES = "https://huggingface.co/Tau-J/RTMPose/resolve/main/rtmposev1/onnx_sdk/"
"""The same archives, kept by RTMPose's first author; rtmlib takes them from there where the first source is away."""
PATIENCE = 4.0
"""Seconds that a source may be silent for before the next one is asked."""


@dataclass(frozen=True, slots=True)
class PublishedOnnx:
    """One published file with an input of 256 x 192 and COCO-17 joints.

    address : of the archive that holds it. megabytes : its size, rounded. sha256 : of the ONNX file, where several
    people have published the same; "" = that of the first use is kept, and every later use is held to it.
    """

    name: str
    address: str
    coco_ap: float
    parameters: int
    megabytes: int
    sha256: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """Addresses to ask in turn: a copy elsewhere counts only where its file can be checked at the first use."""
        return (self.address, self.address.replace(_FOLDER, _COPIES)) if self.sha256 else (self.address,)

    def facts(self) -> dict[str, Any]:
        """Return what is published of it, as `ModelInfo.extra` holds it."""
        return {"coco_ap": self.coco_ap, "coco_ap_source": AP_SOURCE, "megabytes": self.megabytes}


PUBLISHED_ONNX: Mapping[str, PublishedOnnx] = MappingProxyType(
    {
        one.name: one
        for one in (
            PublishedOnnx(
                "rtmpose-t", _FOLDER + "rtmpose-t_simcc-body7_pt-body7_420e-256x192-026a1439_20230504.zip",
                65.9, 3_340_000, 13, "a6c2f6a3896a4d51131d14d7a80a3d08b50f559af5a58a45d5b098aef510a70f",
            ),
            PublishedOnnx(
                "rtmpose-s", _FOLDER + "rtmpose-s_simcc-body7_pt-body7_420e-256x192-acd4a1ef_20230504.zip",
                69.7, 5_470_000, 22, "9aeb635b83f86aea45cf45d85798f7eba1a162de8e0d721c44e54fe5eebaf47d",
            ),
            PublishedOnnx(
                "rtmpose-m", _FOLDER + "rtmpose-m_simcc-body7_pt-body7_420e-256x192-e48f03d0_20230504.zip",
                74.9, 13_590_000, 54, "5c0a4bf67953e6d2ac43ce15e77dc9d5d354ae18430a47d2c5963a7bc5683e3c",
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
        published = PUBLISHED_ONNX[self.variant]
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
            self._weights = find_file(PUBLISHED_ONNX[self.variant])
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


def fetched_onnx(name: str, progress: Progress) -> dict[str, Any]:
    """Fetch a file by its name where need be, and return where it is, its licence, source and size; see `find_file`."""
    one = PUBLISHED_ONNX[name]
    if not any(place.is_file() for place in places(one)):
        progress.say(f"{name}: {one.megabytes} MB from {one.address.split('/')[2]}, {LICENCE}")
    facts = {"licence": LICENCE, "source": one.address, "megabytes": one.megabytes}
    return {"name": name, "folder": str(find_file(one)), **facts}


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
    place = places(published)[0]
    own = f"get {published.address} where there is a network and put the .onnx file in it to {place}"
    if offline():
        raise WeightsError(f"{published.name} is not on this machine and downloads are switched off: {own}")
    refused: list[str] = []
    for address in published.sources:
        try:
            return _from_source(published, address, place)
        except Exception as error:  # noqa: BLE001  # whatever the network stack raises, the remedy is the same
            who = "" if len(published.sources) == 1 else f"{address.split('/')[2]}: "
            refused.append(f"{who}{type(error).__name__}: {error}")
    told = "; ".join(refused)
    raise WeightsError(f"{published.name} is not on this machine and could not be downloaded ({told}): {own}")


def _from_source(published: PublishedOnnx, address: str, place: Path) -> Path:
    """Return `place` with the file of an archive in it; what is not the file that it should be never gets there."""
    archive, part = place.with_suffix(".zip.part"), place.with_suffix(".onnx.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer, archive.open("wb") as opened:
            shutil.copyfileobj(answer, opened)
        model = _only_model(archive)
        if published.sha256 not in ("", hashlib.sha256(model).hexdigest()):
            raise ValueError("another checksum than the one published")
        part.write_bytes(model)
        part.replace(place)
    finally:
        archive.unlink(missing_ok=True)
        part.unlink(missing_ok=True)
    return place


def _only_model(archive: Path) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if name.endswith(".onnx")]
        if len(names) != 1:
            raise ValueError(f"the archive holds {len(names)} ONNX files instead of one")
        return opened.read(names[0])
