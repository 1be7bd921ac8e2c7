"""None"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emc.config import Settings
from emc.errors import UsageError
from emc.interfaces import Progress, Store
from emc.pose.records import TEST_TAG, Clip, Ignored, Role, Sample
from emc.pose.skeletons import COCO17
from emc.stages.calibration_set import CalibrationSet, SampleRef, build_calibration_set, label_sha256
from emc.workflow.found import ignored_on
from emc.workflow.project import rendered_stand_in, samples_in
from emc.workflow.samples import load_samples, rendered_common


@dataclass(frozen=True, slots=True)
class Populations:
    """Labelled samples of both populations, split: train, validation (chooses), test (measures once, may be empty).

    ignored : crowds and persons without joints on their frames, whom scores ignore.
    """

    train_target: Sequence[Sample]
    train_common: Sequence[Sample]
    validation_target: Sequence[Sample]
    validation_common: Sequence[Sample]
    test_target: Sequence[Sample] = ()
    test_common: Sequence[Sample] = ()
    ignored: Sequence[Ignored] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """Labelled samples with the record of where each comes from, by split key."""

    refs: tuple[SampleRef, ...]
    test: tuple[SampleRef, ...]
    samples: dict[tuple[str, str, int, int], Sample]
    rendered: int
    ignored: tuple[Ignored, ...] = ()


def gather(store: Store, settings: Settings, progress: Progress) -> Gathered:
    """Return every labelled person of the project; raises `UsageError` where no target person is labelled."""
    clips = store.clips()
    samples = load_samples(store, clips, progress, settings.calibrate.cache)
    by_clip = {clip.id: clip for clip in clips}
    refs = [sample_ref(sample, by_clip[sample.clip]) for sample in samples]
    test = [ref for ref in refs if ref.tags.get(TEST_TAG[0]) == TEST_TAG[1]]
    rest = [ref for ref in refs if ref.tags.get(TEST_TAG[0]) != TEST_TAG[1]]
    if not any(ref.role is Role.TARGET for ref in rest):
        raise UsageError(
            f"no corrected joints on the target clips of {store.folder}: correct some frames, or bring labels with "
            "`emc import coco FILE --clip CLIP`"
        )
    found = {ref_key(ref): sample for ref, sample in zip(refs, samples, strict=True)}
    rendered = 0
    if not any(ref.role is Role.COMMON for ref in rest) and settings.calibrate.strategy == "calibration":
        skeleton = rendered_stand_in(store)
        progress.say("no labelled common clip in the project: common poses rendered by EMC stand in")
        extra = samples_in(rendered_common(settings.calibrate.seed, progress), COCO17, skeleton)
        rendered = len(extra)
        for sample in extra:
            ref = sample_ref(sample, None)
            rest.append(ref)
            found[ref_key(ref)] = sample
    return Gathered(tuple(rest), tuple(test), found, rendered, tuple(ignored_on(store, clips)))


def sample_ref(sample: Sample, clip: Clip | None) -> SampleRef:
    """Return the record of a sample for splitting, leak checks and hashing; `clip` None: rendered by the package."""
    return SampleRef(
        clip=sample.clip,
        group=sample.group,
        frame=sample.frame,
        person=sample.person,
        role=clip.role if clip else Role.COMMON,
        tags=dict(clip.tags) if clip else {"source": "rendered"},
        media=clip.sha256 if clip else "",
        image=hashlib.sha256(sample.image.tobytes()).hexdigest(),
        label=label_sha256(sample.xy, sample.visibility),
    )


def ref_key(ref: SampleRef) -> tuple[str, str, int, int]:
    """Return what tells one sample from all others."""
    return (str(ref.role), ref.clip, ref.frame, ref.person)


def select_samples(store: Store, gathered: Gathered, settings: Settings) -> CalibrationSet:
    """Split the labelled persons and look for leaks; raises `LeakError` naming what is in two splits."""
    options = settings.calibrate
    return build_calibration_set(
        gathered.refs, gathered.test, options.validation, options.mix, options.seed, options.validation_common
    )


def populations(chosen: CalibrationSet, gathered: Gathered) -> Populations:
    """Return the samples of each split and role."""

    def pick(refs: Iterable[SampleRef], role: Role) -> Sequence[Sample]:
        return [gathered.samples[ref_key(ref)] for ref in refs if ref.role is role]

    train, held, test = chosen.split.train, chosen.split.validation, chosen.test
    return Populations(
        pick(train, Role.TARGET),
        pick(train, Role.COMMON),
        pick(held, Role.TARGET),
        pick(held, Role.COMMON),
        pick(test, Role.TARGET),
        pick(test, Role.COMMON),
        gathered.ignored,
    )


def labelled_joints(samples: Iterable[Sample]) -> int:
    """Return how many joints are labelled."""
    return sum(int((sample.visibility > 0).sum()) for sample in samples)
