"""The lifter `temporal`: checkpoints of Pavllo et al. (CVPR 2019) that users bring, COCO-17 or Human3.6M-17 in.

The embedded `temporal-small` has weights of its own and another input; see `emc.lifters.temporal`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from emc.errors import ShapeMismatch, UsageError, WeightsError
from emc.interfaces import ModelInfo
from emc.lifters.layouts import coco_from_h36m_2d, h36m_from_coco_2d
from emc.lifters.person_frame import any_joint_seen, fill_gaps
from emc.lifters.temporal_network import (
    AveragedNetwork,
    FoldedNetwork,
    TemporalNetwork,
    lift_sequence,
    screen_coordinates,
)
from emc.lifters.videopose_checkpoint import read_checkpoint
from emc.pose.skeletons import COCO17, H36M17, Skeleton

NAME = "temporal"
PIECE = 2048
TRAINED_FOCAL = 1.147
"""Focal length of Human3.6M's cameras in widths of their frames: the mean of 1145.0, 1149.7, 1149.1, 1145.5 over 1,000.

Source: the calibration that the data set's authors publish with it (Ionescu et al., PAMI 2014).
"""
LAYOUTS = {"coco17": COCO17, "h36m17": H36M17}


class TemporalLifter:
    """A temporal-convolution lifter with weights of the user's.

    weights : a checkpoint file, or a folder with one such file and, optionally, an ``emc.json`` that names it
    (``{"lifter": "temporal", "checkpoint": "file.bin", "input": "h36m17", "causal": false}``).
    input : layout of the 2D joints that it was trained on, ``coco17`` or ``h36m17``; ``auto`` takes the folder's
    ``emc.json``, else the file's name (``coco`` before ``h36m``, ``cpn`` or ``gt``), else COCO-17.
    causal : it was trained to see the past alone. flip : average with the mirrored input, as the paper does.
    focal : pixels, the focal length of the camera that filmed; None: unknown.

    Joints are normalised by the frame's width, clip borders padded by their own frames. It was trained at 50 frames
    per second on Human3.6M: other rates are slow or fast motion to it, and so are other lenses. With `focal` joints are
    put where a camera of `TRAINED_FOCAL` at the same place would have seen them, which is exact for a lens without
    distortion. Raises `WeightsError` that names the file,
    `UsageError` for an unknown layout.
    """

    def __init__(
        self,
        weights: Path | None = None,
        input: str = "auto",
        causal: bool = False,
        flip: bool = True,
        focal: float | None = None,
    ) -> None:
        if focal is not None and not focal > 0:
            raise UsageError(f"lifter got focal length {focal} px: it must be positive, or None where it is unknown")
        if weights is None:
            raise WeightsError(
                "the lifter 'temporal' has no weights of its own: set lift.lifter to the path of a checkpoint, or use "
                "temporal-small"
            )
        path, told = checkpoint_in(Path(weights))
        self.layout = layout_of(path, str(told.get("input", "auto")) if input == "auto" else input)
        self.flip = flip
        self.focal = focal
        self._path = path
        self._checkpoint = read_checkpoint(path, causal or bool(told.get("causal", False)))
        network, trajectory = self._checkpoint.position, self._checkpoint.trajectory
        if (network.joints_in, network.joints_out) != (len(self.layout), len(H36M17)):
            raise WeightsError(
                f"{path} lifts {network.joints_in} joints to {network.joints_out}: only 17 to 17 (COCO-17 or "
                "Human3.6M-17 in, Human3.6M-17 out) can be used here"
            )
        self._position = self._ready(network)
        self._trajectory = None if trajectory is None else self._ready(trajectory)

    @property
    def network(self) -> TemporalNetwork:
        """The position network."""
        return self._checkpoint.position

    def lift(self, xy: np.ndarray, confidence: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Lift one person's sequence of COCO-17 joints (see `emc.interfaces.Lifter`).

        Where the network wants Human3.6M-17 joints, they are estimated (`emc.lifters.layouts`). Missing joints are
        bridged in time; one that is never seen is put at the mean of the others. Confidence is not used.
        """
        return self._lift(xy, confidence, size, COCO17)

    def lift_h36m(self, xy: np.ndarray, confidence: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Lift one person's sequence of (T, 17, 2) Human3.6M-17 joints; otherwise as `lift`."""
        return self._lift(xy, confidence, size, H36M17)

    def positions(self, xy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return the network's own answer: (T, 17, 3) float32 metres, camera axes, pelvis near the origin.

        xy : (T, 17, 2) finite pixels in the layout that the network was trained on. size : (width, height).
        """
        return self._answer(self._position, xy, size)

    def trajectory(self, xy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return the pelvis (T, 3) in metres, camera axes, by the trajectory head.

        xy, size : as `positions`. Right only for cameras like those of its training. Raises `UsageError` where the
        checkpoint has no trajectory head.
        """
        if self._trajectory is None:
            raise UsageError(f"{self._path} has no trajectory head (model_traj): only poses can be lifted with it")
        return self._answer(self._trajectory, xy, size)[:, 0]

    def pelvis(self, xy: np.ndarray, confidence: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
        """Return where one person is by the trajectory head: (T, 3) metres, camera axes.

        xy, confidence, size : as `lift`. None where the checkpoint has no such head, or nothing is seen.
        """
        if self._trajectory is None or len(xy) == 0 or not any_joint_seen(xy):
            return None
        return self.trajectory(self._seen(xy, confidence, COCO17), size)

    def describe(self) -> ModelInfo:
        """Return name, skeletons, receptive field and where the weights are; their licence is the user's to know."""
        network = self._checkpoint.position
        return ModelInfo(
            name=NAME,
            kind="lifter",
            skeleton=self.layout.name,
            input_size=(0, 0),
            licence="that of the weights you brought",
            trainable=False,
            parameters=sum(p.numel() for p in network.parameters()),
            weights=str(self._path),
            notes="a checkpoint of the user's, trained at its own frame rate and cameras",
            extra={
                "output_skeleton": H36M17.name,
                "receptive_field": network.receptive_field,
                "causal": network.causal,
                "trajectory": self._checkpoint.trajectory is not None,
            },
        )

    def _ready(self, network: TemporalNetwork) -> FoldedNetwork:
        if not self.flip:
            return FoldedNetwork(network)
        # The trajectory head has one joint, the pelvis, which is its own mirror image.
        out = H36M17.flip if network.joints_out == len(H36M17) else range(network.joints_out)
        return AveragedNetwork(network, self.layout.flip, out)

    def _lift(self, xy: np.ndarray, confidence: np.ndarray, size: tuple[int, int], layout: Skeleton) -> np.ndarray:
        if xy.ndim != 3 or xy.shape[1:] != (17, 2) or confidence.shape != xy.shape[:2]:
            raise ShapeMismatch(
                f"lifting got xy {xy.shape} and confidence {confidence.shape}: it needs (T, 17, 2), (T, 17)"
            )
        if len(xy) == 0 or not any_joint_seen(xy):
            return np.full((len(xy), len(H36M17), 3), np.nan, dtype=np.float32)
        out = self.positions(self._seen(xy, confidence, layout), size)
        return out - out[:, :1]

    def _seen(self, xy: np.ndarray, confidence: np.ndarray, layout: Skeleton) -> np.ndarray:
        """Return (T, 17, 2) joints in the network's own layout, gaps bridged."""
        filled, known = fill_gaps(xy, confidence)
        if layout is not self.layout:
            change = h36m_from_coco_2d if layout is COCO17 else coco_from_h36m_2d
            filled, known = change(filled, known)
        centre = np.nanmean(filled, axis=1, keepdims=True)
        return np.where(np.isfinite(filled), filled, centre)

    def _answer(self, network: FoldedNetwork, xy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        values = screen_coordinates(xy, size)
        if self.focal is not None:
            values = values * (TRAINED_FOCAL * size[0] / self.focal)
        return lift_sequence(network, values.astype(np.float32), PIECE)


def checkpoint_in(place: Path) -> tuple[Path, dict[str, Any]]:
    """Return the checkpoint file of a path (itself, or inside the folder) and what the folder's ``emc.json`` tells."""
    if not place.is_dir():
        return place, {}
    told: dict[str, Any] = {}
    if (place / "emc.json").is_file():
        try:
            told = json.loads((place / "emc.json").read_text(encoding="utf-8"))
            return place / str(told["checkpoint"]), told
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WeightsError(
                f"{place / 'emc.json'} does not name a checkpoint ({error!r}): give it "
                '{"lifter": "temporal", "checkpoint": "FILE"}'
            ) from error
    files = sorted(p for p in place.iterdir() if p.suffix in (".bin", ".pt", ".pth"))
    if len(files) != 1:
        found = ", ".join(p.name for p in files) or "none"
        raise WeightsError(f"{place} must hold one checkpoint (.bin, .pt, .pth), it holds {found}: name the file")
    return files[0], told


def layout_of(path: Path, named: str) -> Skeleton:
    """Return the input layout: the named one, or for ``auto`` what the file's name says, else COCO-17."""
    if named in LAYOUTS:
        return LAYOUTS[named]
    if named != "auto":
        raise UsageError(f"unknown lifter input '{named}': use auto, {', '.join(LAYOUTS)}")
    words = path.name.lower()
    if "coco" in words or not any(word in words for word in ("h36m", "cpn", "gt")):
        return COCO17
    return H36M17
