from dataclasses import dataclass

import pytest
from tests.stages.calibrate.test_train import SpotEstimator

from emc.errors import UsageError
from emc.stages.calibrate.abilities import innermost, with_augmentation


@dataclass(frozen=True)
class Changes:
    rotation: float = 40.0
    flip: float = 0.5


class Augmented(SpotEstimator):
    def __init__(self):
        super().__init__()
        self.augmentation = Changes()


class Reader:
    """Reads with another estimator."""

    def __init__(self, inner):
        self.inner = inner


def test_a_twin_shares_the_network_and_changes_crops_in_other_measure():
    estimator = Augmented()
    twin = with_augmentation(estimator, {"rotation": 180.0})
    assert twin.module is estimator.module
    assert (twin.augmentation.rotation, twin.augmentation.flip) == (180.0, 0.5)
    assert estimator.augmentation.rotation == 40.0


def test_behind_another_estimator_the_inner_one_is_changed():
    reader = Reader(Reader(Augmented()))
    twin = with_augmentation(reader, {"flip": 0.0})
    assert twin.inner.inner.augmentation.flip == 0.0
    assert reader.inner.inner.augmentation.flip == 0.5
    assert innermost(reader) is reader.inner.inner


def test_no_changes_leave_the_estimator_itself():
    plain = SpotEstimator()
    assert with_augmentation(plain, {}) is plain


def test_an_estimator_without_such_a_field_is_told_by_name():
    with pytest.raises(UsageError, match=r"spots has no augmentation rotation: leave calibrate\.rotation unset"):
        with_augmentation(SpotEstimator(), {"rotation": 10.0})
    with pytest.raises(UsageError, match=r"no augmentation cutout"):
        with_augmentation(Augmented(), {"cutout": 0.5})
