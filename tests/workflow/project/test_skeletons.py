from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED

from emc.config import Settings, read_settings
from emc.errors import InputError, NotTrainable, ProjectError, UsageError
from emc.estimators.nano.estimator import NanoEstimator
from emc.formats.poses.coco import CocoFormat
from emc.interfaces import Store
from emc.pose.labels import LabelledImage, LabelledPerson, LabelSet
from emc.pose.records import Pose, Sample
from emc.pose.skeletons.file import read_skeleton, skeleton_from_toml, skeleton_text
from emc.pose.skeletons.skeleton import COCO17, HALPE26, LSP14
from emc.stages.overlay.drawing import write_video
from emc.workflow.labels import export_labels, import_labels
from emc.workflow.predict.key import model_key
from emc.workflow.progress import Silent
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import new_project, open_project, status
from emc.workflow.project.skeletons import (
    MappedEstimator,
    clip_skeleton,
    declare,
    declared_skeleton,
    estimator_in,
    liftable,
    padded_pose,
    remember,
    rendered_stand_in,
    samples_in,
    scored_in,
    skeleton_called,
    trainable_in,
    with_joints,
)
from emc.workflow.samples.samples import load_samples

DOG = """
name = "dog"
joints = ["nose", "withers", "tail_base", "tail_tip", "left_paw", "right_paw"]
limbs = [["nose", "withers"], ["withers", "tail_base"], ["tail_base", "tail_tip"]]
sigmas = [0.03, 0.08, 0.08, 0.06, 0.06, 0.06]
[parts]
tail = ["tail_base", "tail_tip"]
"""
ROBOT = 'name = "robot"\njoints = ["base", "grip"]\nlimbs = [["base", "grip"]]'


@pytest.fixture
def dog(tmp_path: Path) -> Path:
    path = tmp_path / "dog.toml"
    path.write_text(DOG)
    return path


def labelled_project(tmp_path: Path, skeleton: str) -> Store:
    store = new_project(tmp_path / "p", skeleton)
    path = tmp_path / "clip.mp4"
    write_video(path, (np.full((80, 120, 3), 20 * i, np.uint8) for i in range(3)), fps=10)
    add_clips(store, [path])
    return store


def label_file(path: Path, skeleton, missing: tuple[int, ...] = ()) -> Path:  # noqa: ANN001
    images = tuple(LabelledImage(i, f"{i}.png", 120, 80) for i in range(3))
    seen = np.full(len(skeleton), 2, np.int8)
    seen[list(missing)] = 0
    xy = np.array([[30.0 + 2 * j, 20.0 + j] for j in range(len(skeleton))])
    xy[list(missing)] = np.nan
    persons = tuple(LabelledPerson(image=i, id=i + 1, xy=xy, visibility=seen, box=(25, 15, 60, 50)) for i in range(3))
    CocoFormat().write(path, LabelSet(skeleton, images, persons))
    return path


def test_a_project_keeps_its_skeleton(tmp_path: Path, dog: Path) -> None:
    with new_project(tmp_path / "p", str(dog)) as store:
        assert declared_skeleton(store) == read_skeleton(dog)
    dog.unlink()
    with open_project(tmp_path / "p.emc") as store:
        assert declared_skeleton(store) == skeleton_from_toml(DOG)
        assert clip_skeleton(store, "any").name == "dog"
        assert status(store)["skeleton"]["name"] == "dog"
        assert skeleton_called(store, "coco17") is COCO17
        with pytest.raises(UsageError, match="unknown skeleton 'cat'"):
            skeleton_called(store, "cat")


def test_a_bad_skeleton_makes_no_project(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cat\.toml does not exist: give one of coco17"):
        new_project(tmp_path / "p", str(tmp_path / "cat.toml"))
    assert not (tmp_path / "p.emc").exists()


def test_a_skeleton_is_declared_once(tmp_path: Path, dog: Path) -> None:
    with labelled_project(tmp_path, str(dog)) as store:
        declare(store, read_skeleton(dog))
        with pytest.raises(ProjectError, match="joints of skeleton dog, and cannot change to halpe26"):
            declare(store, HALPE26)
        other = skeleton_from_toml(DOG.replace('"nose"', '"snout"'))
        with pytest.raises(UsageError, match="another skeleton by the name 'dog'"):
            remember(store, other)


def test_a_project_without_one_may_declare_coco_after_corrections(tmp_path: Path) -> None:
    with labelled_project(tmp_path, "") as store:
        import_labels(store, label_file(tmp_path / "l.json", COCO17))
        with pytest.raises(ProjectError, match="coco17, and cannot change to halpe26"):
            declare(store, HALPE26)
        declare(store, COCO17)
        assert declared_skeleton(store) is COCO17


def test_labels_go_in_and_out_in_the_own_skeleton(tmp_path: Path, dog: Path) -> None:
    skeleton = read_skeleton(dog)
    with labelled_project(tmp_path, str(dog)) as store:
        # The last joints are never labelled: they are absent, not cut off.
        file = label_file(tmp_path / "labels.json", skeleton, missing=(4, 5))
        (done,) = import_labels(store, file)
        assert (done.persons, done.joints) == (3, 12)
        samples = load_samples(store, store.clips(), Silent())
        assert [s.xy.shape for s in samples] == [(6, 2)] * 3
        assert samples[0].visibility.tolist() == [2, 2, 2, 2, 0, 0]
        export_labels(store, tmp_path / "out.json")
    back = CocoFormat().read(tmp_path / "out.json")
    assert back.skeleton.joints == skeleton.joints
    assert back.skeleton.limbs == skeleton.limbs
    assert np.allclose(back.persons[0].xy[:4], [[30 + 2 * j, 20 + j] for j in range(4)])


def test_labels_of_another_skeleton_are_mapped_or_refused(tmp_path: Path, dog: Path) -> None:
    with labelled_project(tmp_path, "halpe26") as store:
        import_labels(store, label_file(tmp_path / "coco.json", COCO17))
        pose = store.poses("clip")[0]
        shoulders = [COCO17.index("left_shoulder"), COCO17.index("right_shoulder")]
        assert np.allclose(pose.xy[HALPE26.index("neck")], pose.xy[shoulders].mean(axis=0))
        with pytest.raises(InputError, match="labels base, grip .* none of which is a joint of skeleton halpe26"):
            import_labels(store, label_file(tmp_path / "robot.json", skeleton_from_toml(ROBOT)))


def test_models_predict_in_the_projects_joints(tmp_path: Path) -> None:
    with new_project(tmp_path / "p", "lsp14") as store:
        estimator = estimator_in(store, "nano")
    assert isinstance(estimator, MappedEstimator)
    assert estimator.skeleton is LSP14
    assert model_key(estimator) == f"{model_key(NanoEstimator())}-lsp14"
    from emc.pose.records import Box

    image = np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    box = Box(0, (10, 10, 60, 70), track=0)
    (plain,) = NanoEstimator().predict([image], [[box]])
    (found,) = estimator.predict([image], [[box]])
    knees = [s.index("left_knee") for s in (LSP14, COCO17)]
    assert np.array_equal(found.xy[knees[0]], plain.xy[knees[1]])
    assert np.isnan(found.xy[LSP14.index("head_top")]).all()
    assert "absent: head_top" in estimator.describe().notes


def test_models_without_any_of_the_joints_are_refused_but_can_be_calibrated(tmp_path: Path) -> None:
    (tmp_path / "robot.toml").write_text(ROBOT)
    with new_project(tmp_path / "p", str(tmp_path / "robot.toml")) as store:
        with pytest.raises(UsageError, match="nano has no joint of skeleton robot.*calibrate it"):
            estimator_in(store, "nano")
        assert trainable_in(store, NanoEstimator()).skeleton.joints == ("base", "grip")
    with new_project(tmp_path / "q") as store:
        nano = NanoEstimator()
        assert trainable_in(store, nano) is nano


def test_an_estimator_that_cannot_grow_is_named(tmp_path: Path) -> None:
    class Stiff:
        skeleton = COCO17
        module = None

        def predict(self, images, boxes): ...  # noqa: ANN001, ANN201
        def collate(self, samples, rng): ...  # noqa: ANN001, ANN201
        def loss(self, batch): ...  # noqa: ANN001, ANN201
        def save(self, path, extra=None): ...  # noqa: ANN001, ANN201
        def load(self, path): ...  # noqa: ANN001, ANN201
        def describe(self):  # noqa: ANN201
            return NanoEstimator().describe()

    with new_project(tmp_path / "p", "halpe26") as store, pytest.raises(NotTrainable, match="coco17 alone.*halpe26"):
        trainable_in(store, Stiff())
    assert isinstance(with_joints(Stiff(), HALPE26), MappedEstimator)


def test_parts_that_a_skeleton_has(tmp_path: Path) -> None:
    dog = skeleton_from_toml(DOG)
    plain = Settings()
    assert scored_in(plain, COCO17) is plain
    assert scored_in(plain, dog).calibrate.parts == ("total",)
    tail = read_settings(None, EMBEDDED, calibrate={"parts": ("tail",)})
    assert scored_in(tail, dog) is tail
    arms = read_settings(None, EMBEDDED, calibrate={"parts": ("wrist",)})
    with pytest.raises(UsageError, match="names wrist, which skeleton dog lacks: use tail, total"):
        scored_in(arms, dog)


def test_samples_and_poses_in_other_joints() -> None:
    seen = np.zeros(17, np.int8)
    seen[COCO17.index("nose")] = 2
    xy = np.full((17, 2), np.nan, np.float32)
    xy[0] = 5
    box = np.array([0, 0, 9, 9], np.float32)
    sample = Sample(np.zeros((9, 9, 3), np.uint8), xy, seen, box, "c", "g", 0, weight=np.full(17, 0.5))
    (found,) = samples_in([sample], COCO17, skeleton_from_toml(DOG))
    assert found.visibility.tolist() == [2, 0, 0, 0, 0, 0]
    assert found.weight is not None
    assert found.weight[0] == 0.5
    assert samples_in([sample], COCO17, skeleton_from_toml(ROBOT)) == []
    pose = Pose(0, 0, xy[:1], seen[:1], np.array([2], np.int8))
    assert padded_pose(pose, 3).visibility.tolist() == [2, 0, 0]
    assert padded_pose(pose, 1) is pose
    assert skeleton_from_toml(skeleton_text(skeleton_from_toml(DOG))) == skeleton_from_toml(DOG)


def test_what_cannot_be_is_told_in_time(tmp_path: Path) -> None:
    (tmp_path / "robot.toml").write_text(ROBOT)
    with labelled_project(tmp_path, str(tmp_path / "robot.toml")) as store:
        with pytest.raises(UsageError, match="no joint of skeleton robot: label clips of everyday poses"):
            rendered_stand_in(store)
        with pytest.raises(UsageError, match="clip has joints of skeleton robot, lifting takes coco17"):
            liftable(store, "clip")
    with new_project(tmp_path / "q") as store:
        assert rendered_stand_in(store) is COCO17
