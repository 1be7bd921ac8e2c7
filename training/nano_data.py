"""Training data of `nano`: everyday photos from LSPE, and rendered everyday motion kept in a cache folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from emc.errors import InputError
from emc.pose.records import Sample
from emc.pose.skeletons import COCO17, joint_mapping
from emc.pose.skeletons.skeleton import LSP14
from emc.synth.motion import COMMON_MOTIONS
from emc.synth.scene.scene import sample_frame

SHARD = 250
RENDER_SIZE = 192


def read_photos(folder: Path, split: str) -> list[Sample]:
    """Read one split of LSPE as COCO-17 samples; the face has no labels. Head segment = neck to head top, pixels."""
    table = folder / f"{split}.json"
    if not table.is_file():
        raise InputError(f"{table} is missing: point --photos at the folder that holds it")
    content = json.loads(table.read_text(encoding="utf-8"))
    names = {image["id"]: image["file_name"] for image in content["images"]}
    mapping = joint_mapping(LSP14, COCO17)
    samples = []
    for note in content["annotations"]:
        image = cv2.imread(str(folder / names[note["image_id"]]))
        if image is None:
            raise InputError(f"{folder / names[note['image_id']]} cannot be read: copy the photos again")
        lsp = np.asarray(note["keypoints"], dtype=np.float64).reshape(-1, 3)
        places = np.where(lsp[:, 2:] > 0, lsp[:, :2], np.nan)
        xy = np.where(mapping[:, None] >= 0, places[mapping], np.nan)
        visibility = np.where(mapping >= 0, lsp[mapping, 2], 0).astype(np.int8)
        head = float(np.linalg.norm(places[LSP14.index("neck")] - places[LSP14.index("head_top")]))
        samples.append(
            Sample(
                image=cv2.cvtColor(image, cv2.COLOR_BGR2RGB),
                xy=xy,
                visibility=visibility,
                box=np.asarray(note["bbox"], dtype=np.float32),
                clip=names[note["image_id"]],
                group=names[note["image_id"]],
                frame=int(note["image_id"]),
                head=head,
            )
        )
    return samples


def hold_out(samples: list[Sample], count: int, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Return (kept for training, held out), chosen by seed."""
    chosen = set(np.random.default_rng(seed).permutation(len(samples))[:count].tolist())
    kept = [s for i, s in enumerate(samples) if i not in chosen]
    return kept, [s for i, s in enumerate(samples) if i in chosen]


def render_cache(folder: Path, count: int, seed: int) -> None:
    """Render `count` frames of common motion into shards of 250; shards that exist are left alone (resume)."""
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(-(-count // SHARD)):
        path = shard_path(folder, shard, seed)
        if path.exists():
            continue
        rng = np.random.default_rng([seed, shard])
        samples = list(render_common(rng, SHARD))
        temporary = path.with_suffix(f".{os.getpid()}.part.npz")
        np.savez(
            temporary,
            images=np.stack([s.image for s in samples]),
            xy=np.stack([s.xy for s in samples]).astype(np.float32),
            visibility=np.stack([s.visibility for s in samples]),
            boxes=np.stack([s.box for s in samples]),
            heads=np.array([s.head for s in samples]),
        )
        temporary.replace(path)


def shard_path(folder: Path, shard: int, seed: int) -> Path:
    """Return where a shard of rendered frames lives."""
    return folder / f"common_{seed}_{shard:03d}.npz"


def read_rendered(folder: Path, count: int, seed: int) -> list[Sample]:
    """Read `count` rendered frames; raises `InputError` naming the first shard that is missing."""
    samples: list[Sample] = []
    for shard in range(-(-count // SHARD)):
        path = shard_path(folder, shard, seed)
        if not path.is_file():
            raise InputError(f"{path} is missing: render it with `python training/nano.py render`")
        with np.load(path) as data:
            parts = [data[name] for name in ("images", "xy", "visibility", "boxes", "heads")]
        for i, (image, xy, visibility, box, head) in enumerate(zip(*parts, strict=True)):
            name = f"rendered/{shard}"
            samples.append(Sample(image, xy, visibility, box, name, name, i, head=float(head)))
    return samples[:count]


def render_common(rng: np.random.Generator, count: int) -> Iterator[Sample]:
    """Render single frames of common motion, one sample each; every fifth frame has a second person in it."""
    yield from render(rng, count, COMMON_MOTIONS)


def rendered_test(motions: Sequence[str], count: int, seed: int) -> list[Sample]:
    """Render the frames that the scores of the model card are measured on."""
    return list(render(np.random.default_rng([seed, 999]), count, motions))


def render(rng: np.random.Generator, count: int, motions: Sequence[str]) -> Iterator[Sample]:
    """Render frames until `count` samples have come; a person with under six joints in the picture is passed over."""
    made = 0
    while made < count:
        frame = sample_frame(rng, motions=motions, size=(RENDER_SIZE, RENDER_SIZE), people=1 + int(rng.random() < 0.2))
        if not frame.people or int((frame.visibility > 0).sum()) < 6:
            continue
        head = float(np.linalg.norm(frame.neck_xy - frame.head_top_xy))
        yield Sample(frame.image, frame.xy, frame.visibility, frame.box, "rendered", "rendered", made, head=head)
        made += 1
