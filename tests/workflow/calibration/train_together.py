"""Trains `nano` on rendered people, in as many processes as torchrun starts; the first one writes what came out.

torchrun --nproc-per-node 2 train_together.py OUT.pt SETTINGS.json
"""

import json
import sys
from pathlib import Path

import torch

from emc.config import CalibrateSettings
from emc.estimators.nano.estimator import NanoEstimator
from emc.stages.calibrate import LadderStep, Progressed, SavePoint, train
from emc.workflow.calibration.processes import joined_processes
from emc.workflow.samples.rendered import ClipRequest, sparse_samples


def main(out: Path, settings: CalibrateSettings) -> None:
    torch.set_num_threads(1)
    target, common = (sparse_samples(ClipRequest(motion, 1, 6)) for motion in ("side_kick", "walk"))
    with joined_processes() as processes:
        losses, weights, state = [], {}, None
        for event in train(NanoEstimator(), target, common, settings, None, processes):
            match event:
                case Progressed(loss=loss):
                    losses.append(loss)
                case LadderStep(weights=found):
                    weights = dict(found)
                case SavePoint(state=saved):
                    state = saved
        if processes.first:
            torch.save({"losses": losses, "weights": weights, "state": state, "size": processes.size}, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), CalibrateSettings(**json.loads(sys.argv[2])))
