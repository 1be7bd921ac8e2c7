"""Reading C3D motion capture as Human3.6M-17 points, by the package `c3d` (extra ``c3d``).

A C3D file holds markers on the skin under free names. Joints that carry their own names (those of Human3.6M-17), joint
centres of the Plug-in Gait model and its markers are known, in this order. A marker stands on the skin, so that joints
taken from markers are off by a centimetre or three; the hips follow a regression.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from emc.errors import InputError, PluginError
from emc.formats.motion.recording import MotionClip
from emc.pose.skeletons import H36M17
from emc.untrusted import one_line

UNITS: Mapping[str, float] = MappingProxyType({"mm": 0.001, "cm": 0.01, "m": 1.0, "in": 0.0254})
HEAD = ("LFHD", "RFHD", "LBHD", "RBHD")
MARKERS: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType({
    "pelvis": (("LFEP", "RFEP"), ("LASI", "RASI", "LPSI", "RPSI"), ("LASI", "RASI", "SACR")),
    "spine": (("T10", "STRN"),),
    "thorax": (("C7", "CLAV"), ("C7",)),
    "head_top": (HEAD, ("LFHD", "RFHD")),
    **{f"{side}_{joint}": tuple(tuple(f"{side[0].upper()}{word}" for word in choice) for choice in choices)
       for side in ("left", "right")
       for joint, choices in {
           "hip": (("FEP",),),
           "knee": (("FEO",), ("KNE", "KNM"), ("KNE",)),
           "ankle": (("TIO",), ("ANK", "MED"), ("ANK", "MMA"), ("ANK",)),
           "shoulder": (("HUP",), ("SHO",)),
           "elbow": (("HUO",), ("ELB", "ELM"), ("ELB",)),
           "wrist": (("RAO",), ("WRA", "WRB"), ("WRI",)),
       }.items()},
})  # fmt: skip
"""Joint -> choices of markers whose mean it is; the first choice that the file has in full counts."""


@one_line("export it again")
def read_c3d(path: Path) -> MotionClip:
    """Return the motion of a C3D file; a joint is NaN where one of its markers is missing.

    The vertical is the axis that POINT:Y_SCREEN names, else z. Raises `InputError` that names the file and the joints
    without markers, `PluginError` where the package `c3d` is not installed.
    """
    markers, rate, up = read_markers(path)
    points = human36m_from_markers(markers, path)
    return MotionClip(path.stem, rate, with_y_up(points, up))


@one_line("export it again")
def read_markers(path: Path) -> tuple[dict[str, np.ndarray], float, str]:
    """Return label -> (T, 3) metres (NaN where missing), frames per second, and the axis that points up ("+Z")."""
    try:
        import c3d
    except ImportError as error:
        raise PluginError("C3D files need the package 'c3d': pip install 'emc-pose[c3d]'") from error
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            # The package warns of files without force plates, which are of no use here.
            warnings.simplefilter("ignore")
            reader = c3d.Reader(file)
            labels = [str(label).strip() for label in reader.point_labels]
            frames = [points for _, points, _ in reader.read_frames(copy=True)]
            unit = UNITS.get(_text(reader, "POINT:UNITS").lower(), 0.001)
            rate, up = float(reader.point_rate), _text(reader, "POINT:Y_SCREEN").upper() or "+Z"
    except (OSError, ValueError, AssertionError, IndexError, KeyError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path} ({error!r}): give a C3D file") from error
    if not frames or not labels:
        raise InputError(f"{path} has {len(frames)} frames and {len(labels)} markers: give a C3D file with a motion")
    values = np.stack(frames)[:, : len(labels)]
    # A negative residual says that a marker was not seen.
    places = np.where(values[..., 3:4] < 0, np.nan, values[..., :3]) * unit
    return {_plain(label): places[:, i] for i, label in enumerate(labels)}, rate, up


def human36m_from_markers(markers: Mapping[str, np.ndarray], path: Path) -> np.ndarray:
    """Return (T, 17, 3) points in the markers' frame; raises `InputError` naming `path` and what is missing."""
    found: dict[str, np.ndarray] = {
        joint: markers[_plain(joint)] for joint in H36M17.joints if _plain(joint) in markers
    }
    for joint, choices in MARKERS.items():
        for choice in choices:
            if joint not in found and all(label in markers for label in choice):
                found[joint] = np.mean([markers[label] for label in choice], axis=0)
    if {"LASI", "RASI"} <= markers.keys():
        for side in ("left", "right"):
            found.setdefault(f"{side}_hip", hip_centre(markers, found.get("pelvis"), side))
    if "thorax" in found:
        if "head_top" in found:
            found.setdefault("neck_nose", (found["thorax"] + found["head_top"]) / 2)
        if "pelvis" in found:
            found.setdefault("spine", (found["thorax"] + found["pelvis"]) / 2)
    missing = [joint for joint in H36M17.joints if joint not in found]
    if missing:
        raise InputError(
            f"{path} has no markers for {', '.join(missing)} (it has {', '.join(list(markers)[:8])}, ...): name them "
            "as in Plug-in Gait, or by the joints' own names"
        )
    return np.stack([found[joint] for joint in H36M17.joints], axis=1)


def hip_centre(markers: Mapping[str, np.ndarray], pelvis: np.ndarray | None, side: str) -> np.ndarray:
    """Return (T, 3) the hip joint's centre from the pelvis markers.

    From the near front one 14 % of the distance between the front two towards the middle, 19 % back and 30 % down
    (Bell, Brand, Pedersen, Human Movement Science 1989, and Journal of Biomechanics 1990).
    """
    left, right = markers["LASI"], markers["RASI"]
    middle = (left + right) / 2
    width = np.linalg.norm(left - right, axis=-1, keepdims=True)
    across = (left - right) / width
    back = (middle if pelvis is None else pelvis) - middle
    back -= (back * across).sum(-1, keepdims=True) * across
    back /= np.maximum(np.linalg.norm(back, axis=-1, keepdims=True), 1e-9)
    down = np.cross(back, across)
    near, inward = (left, -across) if side == "left" else (right, across)
    return near + width * (0.14 * inward + 0.19 * back + 0.30 * down)


def with_y_up(points: np.ndarray, up: str) -> np.ndarray:
    """Return points in a right-handed frame whose y is the axis `up` (such as "+Z") of the frame that they are in."""
    axis = "XYZ".find(up[-1:])
    if axis < 0:
        axis = 2
    sign = -1.0 if up.startswith("-") else 1.0
    vertical = np.zeros(3)
    vertical[axis] = sign
    forward = np.roll(np.array([1.0, 0.0, 0.0]), (axis + 1) % 3)
    rows = np.stack([np.cross(vertical, forward), vertical, forward])
    return points @ rows.T


def _text(reader: Any, name: str) -> str:
    parameter = reader.get(name)
    return "" if parameter is None else str(parameter.string_value).strip()


def _plain(label: str) -> str:
    return label.rpartition(":")[2].replace("_", "").upper()
