import pytest
import torch
from tests.stages.calibrate.test_train import COMMON, TARGET, SpotEstimator, settings_of

from emc.errors import UsageError
from emc.stages.calibrate import Processes, train
from emc.stages.calibrate.processes import _buckets


def test_one_process_has_every_row_and_sends_nothing():
    alone = Processes()
    assert alone.alone
    assert alone.first
    assert alone.rows(7) == slice(None)
    assert alone.broadcast({"a": 1}) == {"a": 1}
    assert alone.summed(torch.tensor(3.0)) == 3.0
    alone.wait()


def test_rows_are_shared_without_gap_or_overlap():
    assert [Processes(rank, 3).rows(8) for rank in range(3)] == [slice(0, 2), slice(2, 5), slice(5, 8)]


def test_gradients_travel_in_few_messages_of_one_kind(monkeypatch):
    monkeypatch.setattr("emc.stages.calibrate.processes._BUCKET", 10)
    grads = [torch.zeros(4), torch.zeros(6), torch.zeros(1), torch.zeros(30), torch.zeros(2, dtype=torch.float64)]
    assert [[len(grad) for grad in bucket] for bucket in _buckets(grads)] == [[4, 6], [1], [30], [2]]


def test_a_batch_smaller_than_the_number_of_processes_is_refused():
    with pytest.raises(UsageError, match=r"calibrate\.batch = 2 cannot be shared by 3 processes"):
        next(train(SpotEstimator(), TARGET, COMMON, settings_of(batch=2), None, Processes(0, 3)))


def test_statistics_of_part_of_a_batch_are_not_learned():
    with pytest.raises(UsageError, match=r"batch-norm statistics .* without torchrun"):
        next(train(SpotEstimator(), TARGET, COMMON, settings_of(strategy="initial"), None, Processes(0, 2)))
