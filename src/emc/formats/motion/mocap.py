"""Motion capture of others as Human3.6M-17 points: ``.npz`` of named clips, and by suffix BVH and C3D files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emc.errors import InputError
from emc.formats.motion.recording import MotionClip
from emc.pose.skeletons import H36M17
from emc.untrusted import one_line

NPZ_FPS = 30.0


@one_line("export it again")
def read_mocap(path: Path) -> list[MotionClip]:
    """Return the clips of a motion-capture file: ``.npz`` (`read_mocap_npz`), ``.bvh``, ``.c3d``.

    Raises `InputError` that names the file and, where its kind is unknown, the kinds that are read.
    """
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return list(read_mocap_npz(path))
    if suffix == ".bvh":
        from emc.formats.motion.mocap_bvh import read_bvh

        return [read_bvh(path)]
    if suffix == ".c3d":
        from emc.formats.motion.mocap_c3d import read_c3d

        return [read_c3d(path)]
    raise InputError(f"{path} is not motion capture that can be read: give a .npz, .bvh or .c3d file")


def read_mocap_npz(path: Path, fps: float = NPZ_FPS) -> Iterator[MotionClip]:
    """Yield the clips of an ``.npz``: name -> (frames, 17, 3), metres, y up, Human3.6M order, at `fps`.

    Raises `InputError` naming the file and the clip that is not of that shape.
    """
    try:
        with np.load(path) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"cannot read motion capture {path} ({error}): give an .npz of clips") from error
    if not found:
        raise InputError(f"{path} holds no clips: give an .npz of name -> (frames, 17, 3)")
    for name, points in found.items():
        if points.ndim != 3 or points.shape[1:] != (len(H36M17), 3) or len(points) == 0:
            raise InputError(f"{path}: clip {name} is {points.shape}: clips must be (frames, 17, 3), Human3.6M order")
        yield MotionClip(name, fps, points.astype(np.float64))
