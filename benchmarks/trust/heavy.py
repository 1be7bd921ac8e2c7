"""Files that are large or deep on purpose: the time and the memory that reading each takes, in a process of its own."""

from __future__ import annotations

import json
import multiprocessing
import resource
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.trust.mutations import _coco_document, _read_boxes, _read_media

from emc.errors import EmcError
from emc.pose.skeletons import read_skeleton

PATIENCE = 300.0


@dataclass(frozen=True)
class Outcome:
    """How reading one file ended: read, refused, traceback, hangs.

    seconds : of a processor. memory : the process's peak in MB.
    """

    what: str
    how: str
    seconds: float
    memory: float
    said: str = ""


def _coco(path: Path) -> None:
    """200 MB of COCO labels, with masks, as of a whole data set."""
    document = _coco_document()
    person = {**document["annotations"][0], "segmentation": [[float(number) / 7 for number in range(60)]]}
    images = [{**document["images"][0], "id": number, "file_name": f"{number}.png"} for number in range(1, 40_001)]
    with path.open("w") as file:
        file.write('{"info": {}, "images": ' + json.dumps(images) + ', "annotations": [')
        number = 0
        while file.tell() < 200e6:
            number += 1
            row = {**person, "id": number, "image_id": 1 + number % 40_000}
            file.write(("," if number > 1 else "") + json.dumps(row))
        file.write('], "categories": ' + json.dumps(document["categories"]) + "}")


def _crowd(path: Path) -> None:
    person = {"person_id": [-1], "pose_keypoints_2d": [float(value) for value in range(1, 76)]}
    path.mkdir()
    (path / "clip_000000000000_keypoints.json").write_text(json.dumps({"people": [person] * 50_000}))


def _bomb(path: Path) -> None:
    """A PNG whose header says 60,000 x 60,000 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10_000_000))))


def _text(text: str) -> Callable[[Path], Any]:
    return lambda path: path.write_text(text)


def _read_coco(path: Path) -> None:
    from emc.formats.poses.coco import CocoFormat

    CocoFormat().read(path)


def _read_openpose(path: Path) -> None:
    from emc.formats.poses.openpose import OpenPoseFormat

    OpenPoseFormat().read(path)


HEAVY: tuple[tuple[str, str, Callable[[Path], Any], Callable[[Path], Any]], ...] = (
    ("COCO labels of 200 MB", "a.json", _coco, _read_coco),
    ("boxes of the same", "a.json", _coco, _read_boxes),
    ("OpenPose, 50,000 people on a frame", "frames", _crowd, _read_openpose),
    ("JSON of a million brackets", "a.json", _text("[" * 10**6), _read_coco),
    ("JSON of 100 MB in one text", "a.json", _text('{"a": "' + "x" * 10**8), _read_coco),
    ("a number of 400 digits", "a.json", _text('{"images": [{"id": ' + "9" * 400 + "}]}"), _read_boxes),
    ("TOML of 100,000 brackets", "a.toml", _text("joints = " + "[" * 10**5), read_skeleton),
    ("TOML of 100 MB", "a.toml", _text("#" * 10**8), read_skeleton),
    ("PNG of 60,000 x 60,000 pixels", "a.png", _bomb, _read_media),
    ("EPS named .png", "a.png", _text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"), _read_media),
)  # fmt: skip


def attack() -> list[Outcome]:
    """Read each heavy file."""
    outcomes: list[Outcome] = []
    for what, name, make, read in HEAVY:
        with TemporaryDirectory() as folder:
            make(Path(folder) / name)
            ours, theirs = multiprocessing.Pipe()
            context = multiprocessing.get_context("spawn")
            worker = context.Process(target=_work, args=(theirs, HEAVY.index((what, name, make, read)), folder))
            worker.start()
            found = ours.recv() if ours.poll(PATIENCE) else Outcome(what, "hangs", PATIENCE, 0.0)
            outcomes.append(found)
            worker.kill()
            worker.join()
    return outcomes


def _work(theirs: Connection, place: int, folder: str) -> None:
    what, name, _, read = HEAVY[place]
    # What the imports take is no matter of the file.
    start, how, said = time.process_time(), "read", ""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        read(Path(folder) / name)
    except EmcError as error:
        how, said = "refused", str(error)
    except Exception as error:  # noqa: BLE001
        how, said = "traceback", repr(error)[:300]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    theirs.send(Outcome(what, how, time.process_time() - start, max(peak, before) / 1024, said))
