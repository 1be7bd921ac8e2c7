"""Files to be damaged, one small and sound one of each kind, and seeded ways to damage them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from emc.pose.skeletons import COCO17


@dataclass(frozen=True)
class Kind:
    """A kind of file: how a sound one is made, and what reads it. text : damaged as text too."""

    name: str
    suffix: str
    make: Callable[[Path], None]
    read: Callable[[Path], Any]
    text: bool = False


def _picture(format: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, format)

    return make


def _video(path: Path) -> None:
    from emc.stages.overlay import write_video

    rng = np.random.default_rng(0)
    write_video(path, (rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(12)), fps=10)


def _coco_document() -> dict[str, Any]:
    points = [value for joint in range(17) for value in (10 + joint, 20 + joint, 2)]
    person = {"image_id": 1, "category_id": 1, "keypoints": points, "bbox": [1, 2, 30, 40], "area": 9.5, "iscrowd": 0}
    return {
        "info": {"year": 2026},
        "images": [{"id": 1, "file_name": "kick_000000.png", "width": 64, "height": 64}],
        "annotations": [{"id": number, **person, "score": 0.5, "segmentation": [[1.5, 2, 3]]} for number in (1, 2)],
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO17.joints), "skeleton": [[1, 2]]}],
    }


def _coco(path: Path) -> None:
    path.write_text(json.dumps(_coco_document()))


def _results(path: Path) -> None:
    path.write_text(json.dumps([{**row, "frame": 0} for row in _coco_document()["annotations"]]))


def _openpose(path: Path) -> None:
    person = {"person_id": [-1], "pose_keypoints_2d": [float(value) for value in range(1, 76)]}
    path.write_text(json.dumps({"version": 1.3, "people": [person, person]}))


def _boxes(path: Path) -> None:
    path.write_text("frame,x,y,w,h,person,score\n0,1,2,30,40,0,0.9\n1,1.5,2,30,40,0,0.8\n")


def _skeleton(path: Path) -> None:
    path.write_text(
        'name = "tiny"\njoints = ["head", "left_hand", "right_hand"]\nlimbs = [["head", "left_hand"]]\n'
        'flip = [["left_hand", "right_hand"]]\nsigmas = [0.1, 0.2, 0.2]\n\n[parts]\n"arms" = ["left_hand"]\n'
    )


def _settings(path: Path) -> None:
    path.write_text('[calibrate]\nsteps = 300\nshares = [0.5, 1.0]\n\n[predict]\nestimator = "nano"\nfast = false\n')


def _model(path: Path) -> None:
    path.write_text(json.dumps({"estimator": "nano", "rotations": 4, "zooms": 0, "version": 1}))


def _tensors(path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"a.weight": torch.ones(3, 4), "a.bias": torch.zeros(3)}, path)


def _motion(path: Path) -> None:
    def limb(side: str, *names: str) -> str:
        below = END
        for name in reversed(names):
            below = _bone(f"JOINT {side}{name}", 3, [below])
        return below

    legs = [limb(side, "UpLeg", "Leg", "Foot") for side in ("Left", "Right")]
    arms = [limb(side, "Arm", "ForeArm", "Hand") for side in ("Left", "Right")]
    spine = _bone("JOINT Spine", 3, [_bone("JOINT Neck", 3, [_bone("JOINT Head", 3, [END]), *arms])])
    # Six channels of the root, three of each of the other 15 joints.
    frames = "".join(f"{(f'{value} ' * 51).strip()}\n" for value in (0.5, 1))
    path.write_text(f"HIERARCHY\n{_bone('ROOT Hips', 6, [*legs, spine])}MOTION\nFrames: 2\nFrame Time: 0.033\n{frames}")


END = "End Site\n{\nOFFSET 0 5 0\n}\n"


def _bone(name: str, channels: int, below: list[str]) -> str:
    turns = "Zrotation Xrotation Yrotation"
    said = f"{channels} {'Xposition Yposition Zposition ' if channels == 6 else ''}{turns}"
    return f"{name}\n{{\nOFFSET 0 10 0\nCHANNELS {said}\n{''.join(below)}}}\n"


def _arrays(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, kick=np.random.default_rng(0).normal(size=(4, 17, 3)))


def _read_media(path: Path) -> None:
    from emc.stages.video import open_media, probe

    info = probe(path)
    with open_media(path, info) as reader:
        for _ in reader.frames():
            pass


def _read_openpose(path: Path) -> None:
    from emc.formats.poses.openpose import OpenPoseFormat

    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    path.replace(folder / "clip_000000000000_keypoints.json")
    OpenPoseFormat().read(folder)


def _read_settings(path: Path) -> None:
    from emc.config import read_settings

    path.replace(path.with_name("emc.toml"))
    read_settings(path.parent, {})


def _read_model(path: Path) -> None:
    from emc.plugins import saved_estimator_name, saved_rotations

    path.replace(path.with_name("emc.json"))
    saved_estimator_name(path.parent)
    saved_rotations(path.parent)


def _reader(module: str, name: str, *more: Any) -> Callable[[Path], Any]:
    def read(path: Path) -> Any:
        from importlib import import_module

        found: Any = import_module(module)
        for part in name.split("."):
            found = found() if part == "()" else getattr(found, part)
        result = found(path, *more)
        return list(result) if hasattr(result, "__next__") else result

    return read


def _read_boxes(path: Path) -> None:
    from emc.formats.poses.boxes_csv import read_boxes
    from emc.pose.label_frames import ClipFrames

    read_boxes(path, ClipFrames("kick", 10, 64, 64))


POSES = "emc.formats.poses"
KINDS = (
    *(Kind(name, suffix, _picture(name), _read_media) for name, suffix in (
        ("PNG", ".png"), ("JPEG", ".jpg"), ("TIFF", ".tif"), ("BMP", ".bmp"), ("WEBP", ".webp"))),
    Kind("MP4", ".mp4", _video, _read_media),
    Kind("COCO labels", ".json", _coco, _reader(f"{POSES}.coco", "CocoFormat.().read"), text=True),
    Kind("COCO results", ".json", _results, _reader(f"{POSES}.coco_results", "CocoResultsFormat.().read"), text=True),
    Kind("boxes of COCO", ".json", _coco, _read_boxes, text=True),
    Kind("boxes of CSV", ".csv", _boxes, _read_boxes, text=True),
    Kind("OpenPose", ".json", _openpose, _read_openpose, text=True),
    Kind("skeleton", ".toml", _skeleton, _reader("emc.pose.skeletons", "read_skeleton"), text=True),
    Kind("settings", ".toml", _settings, _read_settings, text=True),
    Kind("model's card", ".json", _model, _read_model, text=True),
    Kind("weights", ".safetensors", _tensors, _reader("emc.weights.saved_files", "read_weights")),
    Kind("BVH", ".bvh", _motion, _reader("emc.formats.motion.mocap_bvh", "read_bvh"), text=True),
    Kind("motion arrays", ".npz", _arrays, _reader("emc.formats.motion.mocap", "read_mocap")),
)  # fmt: skip


def damaged(content: bytes, rng: random.Random, text: bool) -> bytes:
    """Return a file's bytes with one to three faults of a kind that happens, or that somebody thinks of."""
    for _ in range(rng.randint(1, 3)):
        way = rng.choice([*_BYTES, *_TEXT] if text else _BYTES)
        content = way(content, rng)
    return content


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randint(0, len(content))]


def _flip(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _overwrite(content: bytes, rng: random.Random) -> bytes:
    start, length = rng.randint(0, len(content)), rng.choice([1, 4, 64, 512])
    return content[:start] + rng.choice([b"\0", b"\xff", rng.randbytes(1)]) * length + content[start + length :]


def _remove(content: bytes, rng: random.Random) -> bytes:
    start = rng.randint(0, len(content))
    return content[:start] + content[start + rng.choice([1, 3, 50]) :]


def _repeat(content: bytes, rng: random.Random) -> bytes:
    start = rng.randint(0, len(content))
    part = content[start : start + rng.choice([4, 40, 400])]
    return content[:start] + part * rng.choice([2, 20]) + content[start:]


def _other_kind(content: bytes, rng: random.Random) -> bytes:
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    heads = [script, b"PK\x03\x04", b"#EXTM3U\n/etc/passwd\n", b"GIF89a", b"\x89HDF"]
    return rng.choice(heads) + (b"" if rng.random() < 0.5 else content)


def _value(content: bytes, rng: random.Random) -> bytes:
    """Put another value in the place of a number or a word in quotes."""
    import re

    places = list(re.finditer(rb'-?\d+\.?\d*|"[^"\n]*"', content))
    if not places:
        return content
    place = rng.choice(places)
    return content[: place.start()] + rng.choice(VALUES) + content[place.end() :]


VALUES = (
    b"9" * 400, b"-1", b"1e999", b"NaN", b"-Infinity", b"null", b"true", b"[]", b"{}", b'""', b'"\\ud800"',
    b"[[[[1]]]]",     b"9" * 5000, b"[" * 3000 + b"]" * 3000, b'"../../outside"', b'"a\\nb"', b"1" + b"0" * 19, b"0.0",
    b'{"a": {"a": 1}}',
    b'"\xff\xfe"', b'"' + b"x" * 100_000 + b'"', b"1979-05-27", b"0x7fffffff",
)  # fmt: skip
_BYTES = (_cut, _flip, _overwrite, _remove, _repeat, _other_kind)
_TEXT = (_value, _value, _value, _value)
