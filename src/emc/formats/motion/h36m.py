"""Human3.6M in the layout of two ``.npz`` files that lifters are commonly trained and measured on.

``data_3d_h36m.npz`` holds ``positions_3d``: subject -> action -> (frames, 32, 3) metres, world axes with z up, 50
frames a second. ``data_2d_h36m_*.npz`` holds ``positions_2d``: subject -> action -> one (frames, 17, 2) array in
pixels per camera, and ``metadata``. Both are pickles inside; they are read with nothing allowed but arrays and plain
values. The data themselves are the user's, under the data set's own terms (http://vision.imar.ro/human3.6m).
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from emc.errors import InputError
from emc.formats.motion.h36m_cameras import H36MCamera
from emc.formats.motion.recording import MotionClip, y_up
from emc.pose.skeletons import H36M17
from emc.untrusted import one_line

FPS = 50.0
TRAIN_SUBJECTS = ("S1", "S5", "S6", "S7", "S8")
TEST_SUBJECTS = ("S9", "S11")
CAPTURED = 32
KEPT = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
"""Of the 32 captured joints the 17 that move on their own, in the order of `emc.pose.skeletons.H36M17`."""

Positions = dict[str, dict[str, np.ndarray]]
_ALLOWED = {
    (module, name)
    for module in ("numpy.core.multiarray", "numpy._core.multiarray")
    for name in ("_reconstruct", "scalar")
} | {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("_codecs", "encode"),
}


@dataclass(frozen=True, slots=True)
class H36MKeypoints:
    """2D joints: `layout` as the file names it, subject -> action -> (T, 17, 2) pixels per camera."""

    layout: str
    xy: Mapping[str, Mapping[str, Sequence[np.ndarray]]]


@dataclass(frozen=True, slots=True)
class H36MView:
    """One action through one camera: xy (T, 17, 2) pixels, truth (T, 17, 3) metres in camera axes, pelvis at origin."""

    subject: str
    action: str
    camera: str
    xy: np.ndarray
    size: tuple[int, int]
    truth: np.ndarray

    @property
    def name(self) -> str:
        """Subject, action and camera."""
        return f"{self.subject}/{self.action}/{self.camera}"


@one_line("download it again")
def read_positions(path: Path) -> Positions:
    """Return subject -> action -> (T, 17, 3) metres, world axes, z up, of ``data_3d_h36m.npz``.

    Raises `InputError` that names the file, and the subject and action that are wrong.
    """
    found = _member(path, "positions_3d")
    out: Positions = {}
    for subject, action, points in _entries(found, path):
        array = np.asarray(points, dtype=np.float64)
        if array.ndim != 3 or array.shape[1] not in (CAPTURED, len(H36M17)) or array.shape[2] != 3:
            raise InputError(f"{path}: {subject} {action} is {array.shape}: 3D must be (frames, 32 or 17, 3)")
        out.setdefault(subject, {})[action] = array[:, KEPT] if array.shape[1] == CAPTURED else array
    return out


@one_line("download it again")
def read_keypoints(path: Path) -> H36MKeypoints:
    """Return the 2D joints of a ``data_2d_h36m_*.npz``.

    Raises `InputError` that names the file, and the subject, action and camera that are wrong.
    """
    found = _member(path, "positions_2d")
    metadata = _member(path, "metadata", required=False) or {}
    out: dict[str, dict[str, list[np.ndarray]]] = {}
    for subject, action, cameras in _entries(found, path):
        arrays = [np.asarray(one, dtype=np.float64) for one in cameras]
        for number, array in enumerate(arrays):
            if array.ndim != 3 or array.shape[1] != 17 or array.shape[2] < 2:
                raise InputError(
                    f"{path}: {subject} {action} camera {number} is {array.shape}: 2D must be (frames, 17, 2)"
                )
        out.setdefault(subject, {})[action] = [array[..., :2] for array in arrays]
    layout = metadata.get("layout_name", "") if isinstance(metadata, Mapping) else ""
    return H36MKeypoints(str(layout), out)


def h36m_views(
    positions: Positions,
    keypoints: H36MKeypoints,
    cameras: Mapping[str, Sequence[H36MCamera]],
    subjects: Sequence[str] = TEST_SUBJECTS,
) -> Iterator[H36MView]:
    """Yield every action of the subjects through every camera, 2D and 3D cut to the frames that both have.

    Actions without 2D are passed over. Raises `InputError` where a subject is missing in one of the three.
    """
    for subject in subjects:
        for what, has in (("3D", positions), ("2D", keypoints.xy), ("cameras", cameras)):
            if subject not in has:
                raise InputError(f"no {what} of subject {subject}: it has {', '.join(sorted(has)) or 'none'}")
        for action in sorted(set(positions[subject]) & set(keypoints.xy[subject])):
            world = positions[subject][action]
            for camera, xy in zip(cameras[subject], keypoints.xy[subject][action], strict=False):
                frames = min(len(world), len(xy))
                truth = camera.to_camera(world[:frames])
                yield H36MView(subject, action, camera.name, xy[:frames], camera.size, truth - truth[:, :1])


def action_name(action: str) -> str:
    """Return an action without its take: ``Walking 1`` is ``Walking``."""
    return action.split(" ")[0]


def motion_clips(positions: Positions) -> list[MotionClip]:
    """Return all actions as captured motion, y up."""
    return [
        MotionClip(f"h36m/{subject}/{action}", FPS, y_up(points))
        for subject, actions in sorted(positions.items())
        for action, points in sorted(actions.items())
    ]


class _ArraysOnly(pickle.Unpickler):
    """Makes arrays and plain values, and refuses everything else that a pickle can name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)


def _member(path: Path, name: str, required: bool = True) -> Any:
    """Return the object in an ``.npz`` member that holds one pickled object."""
    try:
        with zipfile.ZipFile(path) as archive:
            if f"{name}.npy" not in archive.namelist():
                if required:
                    raise InputError(f"{path} has no '{name}': give the Human3.6M file that the name says")
                return None
            with archive.open(f"{name}.npy") as stream:
                return _object(stream)
    except InputError:
        raise
    except (OSError, zipfile.BadZipFile, ValueError, EOFError, AttributeError, TypeError, IndexError) as error:
        raise InputError(f"cannot read {path} ({error}): give an .npz in the Human3.6M layout") from error
    except pickle.UnpicklingError as error:
        raise InputError(f"{path} holds more than arrays and was not opened ({error}): make the file again") from error


def _object(stream: Any) -> Any:
    version = npy.read_magic(stream)
    reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = reader(stream)
    if dtype != np.dtype(object):
        raise ValueError(f"an object array is expected, {dtype} found")
    found = _ArraysOnly(stream, encoding="latin1").load()
    return found.item() if shape == () and isinstance(found, np.ndarray) else found


def _entries(found: Any, path: Path) -> Iterator[tuple[str, str, Any]]:
    if not isinstance(found, Mapping) or not all(isinstance(actions, Mapping) for actions in found.values()):
        raise InputError(f"{path} is not subject -> action -> array: give a file in the Human3.6M layout")
    for subject, actions in found.items():
        for action, value in actions.items():
            yield str(subject), str(action), value
