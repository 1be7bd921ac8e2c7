"""The base as a teacher: its own outputs on common images, and on joints that nobody labelled, are targets."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from emc.config import CalibrateSettings
from emc.errors import UsageError
from emc.interfaces import Distillable, Trainable


class Teacher:
    """A frozen copy of the base that rewrites the targets of a batch.

    Self-distillation on replayed common images (learning without forgetting: Li and Hoiem, ECCV 2016; Hinton et al.,
    2015), and the filling of joints without a label by the base's own prediction (memory replay in DeepLabCut: Ye et
    al., Nature Communications 2024).
    """

    def __init__(self, estimator: Distillable, distil: float, fill: float) -> None:
        self.estimator = estimator
        self.distil = distil
        self.fill = fill
        # A copy: the estimator's own network moves with every step, and would teach itself.
        self.module = copy.deepcopy(estimator.module).eval()
        for parameter in self.module.parameters():
            parameter.requires_grad_(False)

    @torch.no_grad()
    def with_targets(self, batch: Mapping[str, Any], common: np.ndarray) -> Mapping[str, Any]:
        """Return the batch with the teacher's share in its targets; common : (B,) bool, which rows are replay."""
        rows = torch.as_tensor(common).to(next(self.module.parameters()).device)
        return self.estimator.with_teacher_targets(batch, self.module, rows, self.distil, self.fill)


def teacher_of(estimator: Trainable, base: Mapping[str, torch.Tensor], settings: CalibrateSettings) -> Teacher | None:
    """Return the teacher that the settings ask for, with the weights `base`; None where they ask for none.

    Raises `UsageError` where the estimator's targets cannot be taught.
    """
    if settings.distil == 0 and settings.fill == 0:
        return None
    if not isinstance(estimator, Distillable):
        raise UsageError(
            f"estimator {estimator.describe().name} cannot learn from the base's outputs: use distil = 0 and fill = 0"
        )
    teacher = Teacher(estimator, settings.distil, settings.fill)
    teacher.module.load_state_dict(dict(base))
    return teacher
