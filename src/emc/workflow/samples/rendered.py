"""Labelled people rendered by the package: common poses for projects that bring none, and clips as files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emc.executors.local import LocalExecutor
from emc.interfaces import Progress
from emc.pose.labels import LabelledImage, LabelledPerson, LabelSet
from emc.pose.records import RENDERED_TAG, Sample, Visibility
from emc.pose.skeletons import COCO17, H36M17
from emc.workflow.samples.cut import cut_out

COMMON_PERSONS = 360
"""Rendered common persons that stand in where a project has none of its own."""
FRAMES_PER_PERSON = 6


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """One clip to render: what, with which seed, for which purpose (``train`` or ``test``).

    seconds : length of the motion at `fps`, of which `frames` frames, each `step`-th one, are shown, centred on its
    climax (see `window_start`). The picture's motion blur is that of `fps`.
    """

    motion: str
    seed: int
    frames: int
    fps: float = 30.0
    seconds: float = 2.0
    step: int = 1
    size: tuple[int, int] = (256, 256)
    purpose: str = "train"
    folder: str = ""

    @property
    def name(self) -> str:
        """File name without suffix."""
        return f"{self.motion}_{self.seed:05d}"


@dataclass(frozen=True, slots=True)
class ClipFiles:
    """A rendered clip on disk: video, labels, and the truth in 3D."""

    order: ClipRequest
    video: Path
    labels: Path
    truth: Path
    group: str
    tags: dict[str, str]


def rendered_common(seed: int, progress: Progress, persons: int = COMMON_PERSONS) -> list[Sample]:
    """Return labelled common poses of different rendered people, a few frames of each."""
    from emc.synth.motion import COMMON_MOTIONS

    count = max(1, persons // FRAMES_PER_PERSON)
    base = 900_000 + 1_000 * seed
    orders = [ClipRequest(COMMON_MOTIONS[i % len(COMMON_MOTIONS)], base + i, FRAMES_PER_PERSON) for i in range(count)]
    samples: list[Sample] = []
    executor = LocalExecutor()
    progress.start("render common poses", len(orders))
    try:
        for found in executor.map(sparse_samples, orders):
            samples.extend(found)
            progress.advance()
    finally:
        executor.close()
    progress.finish()
    return samples


def sparse_samples(order: ClipRequest) -> list[Sample]:
    """Return `order.frames` evenly spaced labelled frames of one rendered clip of two seconds."""
    from emc.synth.scene import make_clip

    clip = make_clip(order.motion, order.seed, seconds=2.0, fps=order.fps, size=order.size)
    samples: list[Sample] = []
    for number in np.linspace(0, len(clip) - 1, order.frames).astype(int):
        frame = clip[int(number)]
        if not frame.people:
            continue
        label = frame.people[0]
        seen = np.asarray(label.visibility, dtype=np.int8)
        whole = Sample(
            image=frame.image,
            xy=np.where(seen[:, None] > 0, label.xy, np.nan).astype(np.float32),
            visibility=seen,
            box=np.asarray(label.box, dtype=np.float32),
            clip=f"rendered-{order.name}",
            group=f"rendered-{clip.group}",
            frame=int(number),
            head=float(np.linalg.norm(label.head_top_xy - label.neck_xy)),
            area=float(label.area),
        )
        samples.append(cut_out(frame.image, whole))
    return samples


def render_files(orders: Sequence[ClipRequest], progress: Progress) -> list[ClipFiles]:
    """Render clips to their folders: an H.264 video, COCO labels and the truth in 3D; existing ones are kept."""
    done: list[ClipFiles] = []
    executor = LocalExecutor()
    progress.start("render clips", len(orders))
    try:
        for files in executor.map(render_file, orders):
            done.append(files)
            progress.advance(note=files.order.name)
    finally:
        executor.close()
    progress.finish()
    return done


def render_file(order: ClipRequest) -> ClipFiles:
    """Render one clip; the truth file is written last, so that a clip which has one is whole."""
    from emc.stages.overlay import write_video
    from emc.synth.scene import RenderedFrame, make_clip

    folder = Path(order.folder)
    folder.mkdir(parents=True, exist_ok=True)
    clip = make_clip(order.motion, order.seed, seconds=order.seconds, fps=order.fps, size=order.size)
    files = ClipFiles(
        order,
        folder / f"{order.name}.mp4",
        folder / f"{order.name}.json",
        folder / f"{order.name}.npz",
        clip.group,
        {**clip.tags, RENDERED_TAG[0]: RENDERED_TAG[1]},
    )
    if files.truth.is_file():
        return files
    length = order.frames * order.step
    start = window_start(clip.actors[0].motion.h36m, length)
    frames: list[RenderedFrame] = [clip[i] for i in range(start, min(start + length, len(clip)), order.step)]
    write_video(files.video, (frame.image for frame in frames), fps=order.fps / order.step)
    write_labels(files.labels, order, frames)
    xyz = np.stack([frame.h36m_camera for frame in frames]).astype(np.float32)
    partial = files.truth.with_suffix(".part.npz")
    np.savez_compressed(partial, xyz=xyz - xyz[:, :1])
    partial.replace(files.truth)
    return files


def window_start(h36m: np.ndarray, frames: int) -> int:
    """Return the first frame of a window of `frames` frames around a motion's climax: its highest ankle.

    h36m : (T, 17, 3) world metres, y up. A person who films a kick keeps the kick, not the standing before and after.
    """
    right, left = H36M17.index("right_ankle"), H36M17.index("left_ankle")
    peak = int(np.maximum(h36m[:, right, 1], h36m[:, left, 1]).argmax())
    return max(0, min(len(h36m) - frames, peak - frames // 2))


def write_labels(path: Path, order: ClipRequest, frames: Iterable[object]) -> None:
    """Write a rendered clip's labels as COCO keypoints; each image says its clip and frame."""
    from emc.formats.poses.coco import CocoFormat
    from emc.synth.scene import RenderedFrame

    images: list[LabelledImage] = []
    persons: list[LabelledPerson] = []
    for number, frame in enumerate(frames):
        if not isinstance(frame, RenderedFrame) or not frame.people:
            continue
        label = frame.people[0]
        head = float(np.linalg.norm(label.head_top_xy - label.neck_xy))
        seen = np.asarray(label.visibility, dtype=np.int8)
        x, y, w, h = (float(v) for v in label.box)
        # `clip` and `frame` are EMC's own words: without them frames that begin with 1 would be in doubt.
        said = {"clip": order.name, "frame": number}
        images.append(LabelledImage(number, f"{order.name}_{number:05d}.png", *order.size, said))
        persons.append(
            LabelledPerson(
                image=number,
                id=number + 1,
                xy=np.where(seen[:, None] > Visibility.ABSENT, label.xy, np.nan),
                visibility=seen,
                box=(x, y, w, h),
                area=float(label.area),
                extra={"head_segment": round(head, 3)},
            )
        )
    CocoFormat().write(path, LabelSet(COCO17, tuple(images), tuple(persons)))


TARGET_MOTIONS = ("side_kick", "spinning_kick")
"""The demo's target: the kicks that the base fails on; it gets most of a front kick right."""
