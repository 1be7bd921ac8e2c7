import pytest
from tests.kicks import FRAMES, kick_project

from emc.config import Settings
from emc.errors import PluginError, UsageError
from emc.pose.records import Clip, Role
from emc.workflow.lifting.export import export_motion, holds_motion
from emc.workflow.lifting.lift import lift_project

FORMATS = ("trc", "mot", "bvh", "c3d", "gltf", "npz3d", "csv3d")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with kick_project(tmp_path_factory.mktemp("export") / "two.emc", persons=2) as made:
        lift_project(made, Settings())
        yield made


def test_the_formats_of_motion_are_known_by_name():
    assert all(holds_motion(name) for name in FORMATS)
    assert not holds_motion("coco")
    with pytest.raises(PluginError, match="unknown format 'fbx'"):
        holds_motion("fbx")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written(store, tmp_path, name):
    done = export_motion(store, tmp_path / "motion", name)
    several = name in ("trc", "mot", "bvh", "c3d")
    assert len(done["files"]) == (2 if several else 1)
    assert done["persons"] == ["p0", "p1"]
    assert (done["frames"], done["fps"], done["clip"]) == (2 * FRAMES, 30.0, "kick")
    written = sorted(path.name for path in tmp_path.iterdir())
    suffix = {"gltf": ".glb", "npz3d": ".npz", "csv3d": ".csv"}.get(name, f".{name}")
    assert written == ([f"motion_p0{suffix}", f"motion_p1{suffix}"] if several else [f"motion{suffix}"])


def test_one_person_gets_the_file_as_named(store, tmp_path):
    done = export_motion(store, tmp_path / "right.trc", "trc", persons=[1])
    assert done["files"] == [str(tmp_path / "right.trc")]
    with pytest.raises(UsageError, match="no person 7 in 3D: use one of 0, 1"):
        export_motion(store, tmp_path / "x.trc", "trc", persons=[7])


def test_a_clip_that_is_not_lifted_says_so(store, tmp_path):
    store.add_clip(Clip("walk", "/media/walk.mp4", Role.COMMON, "bo", 9, 320, 240))
    with pytest.raises(UsageError, match="not lifted yet: run `emc lift --clip walk`"):
        export_motion(store, tmp_path / "x.trc", "trc", ["walk"])
    with pytest.raises(UsageError, match="2 are chosen: name one with --clip"):
        export_motion(store, tmp_path / "x.trc", "trc")
