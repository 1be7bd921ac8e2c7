import numpy as np
import pytest
from tests.kicks import FRAMES, WRIST, correct_wrist, kick_project

from emc.config import LiftSettings, Settings
from emc.errors import UsageError
from emc.pose.records import AlertReason
from emc.pose.skeletons.spatial import length_spread
from emc.workflow.lifting.lift import lift_project, read_lifted


@pytest.fixture
def store(tmp_path):
    with kick_project(tmp_path / "kick.emc") as made:
        yield made


def settings(**lift):
    return Settings(lift=LiftSettings(**lift))


def test_lifting_refines_and_keeps_what_it_found(store):
    (row,) = lift_project(store, settings())
    kept = read_lifted(store, "kick")[0]
    assert (row["persons"], row["frames"]) == (1, FRAMES)
    assert kept.xyz.shape == (FRAMES, 17, 3)
    assert kept.root.shape == (FRAMES, 3) and kept.sigma.shape == (FRAMES, 17) and kept.contact.shape == (FRAMES, 2)
    assert kept.floor.shape == (4,)
    assert length_spread(kept.xyz)[[2, 3, 5, 6]].max() < 0.01
    assert 3 < np.median(kept.root[:, 2]) < 7
    assert store.document("lifted", "kick")["refine"] == ["root", "bones", "fit", "smooth", "contacts"]


def test_without_refinement_the_lifter_speaks(store):
    lift_project(store, settings(refine=()))
    kept = read_lifted(store, "kick")[0]
    assert kept.root is None and kept.sigma is None and kept.floor is None
    assert length_spread(kept.xyz)[3] > 0.01


def test_a_joint_that_does_not_fit_becomes_an_alert_until_a_person_decides_it(store):
    run = store.runs("kick")[0].id
    (row,) = lift_project(store, settings())
    found = [a for a in store.alerts(run) if a.reason is AlertReason.LIFT_RESIDUAL]
    assert row["alerts"] == len(found)
    wrist = next(a for a in found if a.joint == WRIST)
    assert wrist.first <= 10 and wrist.last >= 11 and wrist.severity > 0.5
    correct_wrist(store)
    lift_project(store, settings())
    again = [a for a in store.alerts(run) if a.reason is AlertReason.LIFT_RESIDUAL]
    assert not any(a.joint == WRIST and a.first <= 10 and a.last >= 11 for a in again)
    assert len(again) < len(found)


def test_a_batch_of_corrections_says_what_it_changed(store):
    run = store.runs("kick")[0].id
    lift_project(store, settings())
    correct_wrist(store)
    (row,) = lift_project(store, settings(), compare="last")
    (change,) = row["changed"]
    assert change["frames"] == FRAMES
    assert change["joint_mm"]["left_wrist"] > 5 * change["joint_mm"]["right_ankle"]
    assert change["angle_degrees"]["left_elbow"]["max"] > 1
    (same,) = lift_project(store, settings(), compare="last")[0]["changed"]
    assert same["max_mm"] == 0
    (raw,) = lift_project(store, settings(), compare=run)[0]["changed"]
    assert raw["mean_mm"] == pytest.approx(change["mean_mm"])


def test_comparing_needs_something_to_compare_with(store):
    with pytest.raises(UsageError, match="not lifted yet"):
        lift_project(store, settings(), compare="last")
    with pytest.raises(UsageError, match="has no such run; give last, or one of"):
        lift_project(store, settings(), compare="nonsense")


def test_the_height_is_taken_from_the_settings(store):
    lift_project(store, settings())
    usual = np.linalg.norm(read_lifted(store, "kick")[0].xyz[:, 2] - read_lifted(store, "kick")[0].xyz[:, 1], axis=1)
    lift_project(store, settings(height=1.9))
    tall = np.linalg.norm(read_lifted(store, "kick")[0].xyz[:, 2] - read_lifted(store, "kick")[0].xyz[:, 1], axis=1)
    assert tall.mean() / usual.mean() == pytest.approx(1.9 / 1.7, rel=0.05)
