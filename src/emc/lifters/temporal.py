"""The embedded lifter `temporal-small`: COCO-17 pixels to Human3.6M-17 metres, by temporal convolutions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from emc.errors import UsageError, WeightsError
from emc.interfaces import ModelInfo
from emc.lifters.layouts import coco_from_h36m_2d
from emc.lifters.person_frame import STANDARD_HEIGHT, any_joint_seen, flat_pose, person_frame, ray_rotation
from emc.lifters.temporal_network import AveragedNetwork, TemporalNetwork, lift_pieces
from emc.pose.skeletons import COCO17, H36M17

NAME = "temporal-small"
FEATURES = 3
PIECE = 2048
"""Frames lifted at once: bounds the memory of very long clips."""


class TemporalSmallLifter:
    """A small temporal-convolution lifter for clips of any camera, crop and resolution.

    weights : a folder with ``model.safetensors`` and ``emc.json`` (None: the ones inside the package).
    height : metres, the person's stature. A single camera cannot tell a tall person far away from a short one close
    by: the network speaks of a person of 1.70 m, and the result is scaled by ``height / 1.70``.
    focal : pixels, the camera's focal length; None assumes the longer side of the frame (a horizontal field of view
    of 53 degrees in landscape). It only turns the pose where the person is off the frame's middle.

    Source: Pavllo et al., CVPR 2019 (network, flip averaging, edge padding). The input is our own: see
    `emc.lifters.person_frame`. Raises `WeightsError` that names the file, `UsageError` for a height or focal <= 0.
    """

    def __init__(
        self, weights: Path | None = None, height: float = STANDARD_HEIGHT, focal: float | None = None
    ) -> None:
        if not height > 0 or (focal is not None and not focal > 0):
            raise UsageError(f"lifter got height {height} m and focal {focal} px: both must be positive")
        self.network, self._document = load_network(weights)
        self._averaged = AveragedNetwork(self.network, COCO17.flip, H36M17.flip)
        self.height = height
        self.focal = focal
        self._weights = "embedded" if weights is None else str(weights)

    def lift(self, xy: np.ndarray, confidence: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Lift one person's sequence of consecutive frames.

        xy : (T, 17, 2) COCO-17 pixels, NaN where missing (bridged in time, and told to the network).
        confidence : (T, 17) in [0, 1], NaN counts as 0. size : (width, height) of the frame, pixels.
        Returns (T, 17, 3) float32 Human3.6M-17: metres, camera axes (x right, y down, z forward), pelvis at the
        origin. T may be 0, and below the receptive field. A sequence in which nothing is seen gives NaN throughout.
        Raises `ShapeMismatch` where the shapes are wrong.
        """
        if len(xy) == 0:
            return np.zeros((0, len(H36M17), 3), dtype=np.float32)
        if xy.shape[1:] == (len(COCO17), 2) and not any_joint_seen(xy):
            return np.full((len(xy), len(H36M17), 3), np.nan, dtype=np.float32)
        values, centre = person_frame(xy, confidence)
        turn = ray_rotation(centre, size, self.focal or float(max(size))).swapaxes(1, 2)
        turn = (turn * (self.height / STANDARD_HEIGHT)).astype(np.float32)
        out = np.empty((len(xy), len(H36M17), 3), dtype=np.float32)
        for frames, xyz in self._lifted(values):
            np.matmul(xyz, turn[frames], out=out[frames])
        return out

    def lift_h36m(self, xy: np.ndarray, confidence: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Lift one person's sequence of (T, 17, 2) Human3.6M-17 joints; otherwise as `lift`.

        The network sees COCO-17 joints that are estimated from them (`emc.lifters.layouts`).
        """
        return self.lift(*coco_from_h36m_2d(xy, confidence), size)

    def lift_values(self, values: np.ndarray) -> np.ndarray:
        """Lift (T, 17, 3) values of `person_frame`, averaged with their mirror image.

        Returns (T, 17, 3) metres of a person of 1.70 m, pelvis at the origin, in the axes of a camera that looks
        straight at the pelvis.
        """
        return np.concatenate([xyz for _, xyz in self._lifted(values)])

    def _lifted(self, values: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        for frames, difference in lift_pieces(self._averaged, values, PIECE):
            xyz = flat_pose(values[frames])
            xyz += difference
            xyz -= xyz[:, :1].copy()
            yield frames, xyz

    def describe(self) -> ModelInfo:
        """Return name, skeletons, licence, receptive field and where the weights are."""
        return ModelInfo(
            name=NAME,
            kind="lifter",
            skeleton=COCO17.name,
            input_size=(0, 0),
            licence="Apache-2.0",
            trainable=False,
            parameters=sum(p.numel() for p in self.network.parameters()),
            weights=self._weights,
            notes="single camera: metres are those of a person of the given height (1.70 m unless told)",
            extra={"output_skeleton": H36M17.name, "receptive_field": self.network.receptive_field},
        )


def save_network(network: TemporalNetwork, folder: Path, extra: Mapping[str, Any] | None = None) -> None:
    """Write ``model.safetensors`` (half precision) and ``emc.json`` (with `extra` merged in) into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        key: (value.half() if value.is_floating_point() else value).contiguous()
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    # Not save_file: it leaves a file that only its owner may read, which a package must not ship.
    (folder / "model.safetensors").write_bytes(save(state))
    document = {
        "lifter": NAME,
        "skeleton": COCO17.name,
        "output_skeleton": H36M17.name,
        "filter_widths": list(network.filter_widths),
        "channels": network.channels,
        "licence": "Apache-2.0",
        **(extra or {}),
    }
    (folder / "emc.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def load_network(folder: Path | None) -> tuple[TemporalNetwork, dict[str, Any]]:
    """Return the network, in evaluation mode and single precision, and its ``emc.json``; None: the embedded one.

    Raises `WeightsError` where a file is missing, damaged, or of another network.
    """
    root = resources.files("emc.assets") / NAME if folder is None else folder
    try:
        document = json.loads((root / "emc.json").read_text(encoding="utf-8"))
        state = load((root / "model.safetensors").read_bytes())
    except OSError as error:
        raise WeightsError(
            f"cannot read the lifter's weights in {root} ({error}): give a folder with model.safetensors and emc.json"
        ) from error
    except (SafetensorError, ValueError) as error:
        raise WeightsError(
            f"the lifter's weights in {root} are damaged ({error}): copy them again from their source"
        ) from error
    return _network(document, state, str(root)), document


def _network(document: Any, state: Mapping[str, torch.Tensor], origin: str) -> TemporalNetwork:
    name = document.get("lifter") if isinstance(document, dict) else None
    if name != NAME:
        raise WeightsError(f"{origin}/emc.json is of the model {name!r}, not of {NAME}: give a folder of this lifter")
    try:
        network = TemporalNetwork(
            features=FEATURES, filter_widths=document["filter_widths"], channels=int(document["channels"])
        )
        own = network.state_dict()
        counters = {key: value for key, value in own.items() if key.endswith("num_batches_tracked")}
        network.load_state_dict({**counters, **{key: value.to(torch.float32) for key, value in state.items()}})
    except (KeyError, TypeError, ValueError, UsageError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(
            f"the weights in {origin} do not fit the network of their emc.json ({reason}): "
            "give the two files as they were saved together"
        ) from error
    return network.eval()
