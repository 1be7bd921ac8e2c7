import pytest
import torch
from tests.stages.calibrate.test_train import COMMON, TARGET, SpotEstimator, ladder_of, settings_of

from emc.errors import UsageError
from emc.stages.calibrate import train
from emc.stages.calibrate.objective import Term, hardest, objective, share_of, total


class Known(SpotEstimator):
    """Gives the losses it was told."""

    def __init__(self, losses, weight):
        super().__init__()
        self.given = torch.tensor(losses), torch.tensor(weight)

    def joint_losses(self, batch):
        return self.given

    def loss_mass(self, batch):
        return self.given[1].sum()


LOSSES = [[1.0, 5.0, 2.0], [4.0, 9.0, 3.0]]
WEIGHT = [[1.0, 1.0, 1.0], [1.0, 0.0, 0.5]]


def test_the_hardest_labelled_joints_keep_their_weight():
    chosen = hardest(torch.tensor(LOSSES), torch.tensor(WEIGHT), 1)
    assert chosen.tolist() == [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    # The second person has two labelled joints: a third cannot be chosen.
    assert hardest(torch.tensor(LOSSES), torch.tensor(WEIGHT), 3).tolist() == WEIGHT


def test_the_loss_with_hard_joints_by_hand():
    known = Known(LOSSES, WEIGHT)
    alone = objective(known, {}, settings_of(hard_joints=1, hard_share=1.0))
    assert float(total(alone)) == pytest.approx((5 + 4) / 2)
    shared = objective(known, {}, settings_of(hard_joints=1, hard_share=0.25))
    assert float(total(shared)) == pytest.approx(0.25 * 4.5 + 0.75 * (1 + 5 + 2 + 4 + 1.5) / 4.5)


def test_rows_of_two_processes_add_up_to_the_whole_batch():
    settings = settings_of(hard_joints=1, hard_share=0.25)
    whole = total(objective(Known(LOSSES, WEIGHT), {}, settings))
    halves = [objective(Known(LOSSES[i : i + 1], WEIGHT[i : i + 1]), {}, settings) for i in (0, 1)]
    masses = torch.stack([a.mass + b.mass for a, b in zip(*halves, strict=True)])
    assert float(sum(share_of(terms, masses) for terms in halves)) == pytest.approx(float(whole))


def test_a_single_term_is_the_estimators_own_loss():
    loss = torch.tensor(3.0)
    assert total([Term(1.0, loss, torch.tensor(8.0))]) is loss


def test_an_estimator_that_does_not_tell_joints_apart_is_refused_by_name():
    with pytest.raises(UsageError, match=r"spots gives no loss per joint: use hard_joints = 0"):
        next(train(SpotEstimator(), TARGET, COMMON, settings_of(hard_joints=1)))


def test_mining_teaches_other_weights():
    class PerSpot(SpotEstimator):
        def joint_losses(self, batch):
            return ((self._places(batch["image"]) - batch["xy"]) ** 2).mean(-1), torch.ones(len(batch["xy"]), 2)

        def loss_mass(self, batch):
            return torch.tensor(2.0 * len(batch["xy"]))

    plain, all_of_two, mined = (
        ladder_of(train(PerSpot(), TARGET, COMMON, settings_of(**how)))[-1].weights["4.weight"]
        for how in ({}, {"hard_joints": 2}, {"hard_joints": 1, "hard_share": 1.0})
    )
    torch.testing.assert_close(all_of_two, plain, rtol=1e-3, atol=1e-5)
    assert float((mined - plain).abs().max()) > 1e-3
