"""Several processes that train one network together, each on its rows of every batch."""

# torch types some of its functions only in part.
# pyright: reportUnknownMemberType=false
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.distributed as distributed

_BUCKET = 1 << 23
"""Numbers that travel in one message: a message per tensor would wait for the network cable, not for the numbers."""


@dataclass(frozen=True, slots=True)
class Processes:
    """Where one process stands among all of a training: `rank` of `size`, joined by torch's default process group.

    With one process everything is what it was: nothing is sent, every row is its own.
    """

    rank: int = 0
    size: int = 1

    @property
    def alone(self) -> bool:
        """Whether there is no other process."""
        return self.size == 1

    @property
    def first(self) -> bool:
        """Whether this is the process that scores, writes and speaks."""
        return self.rank == 0

    def rows(self, count: int) -> slice:
        """Return this process's rows of a batch of `count`; they differ by at most one between processes."""
        if self.alone:
            return slice(None)
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def summed(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sum over all processes of a small tensor."""
        if self.alone:
            return values
        together = values.detach().clone()
        distributed.all_reduce(together)
        return together

    def sum_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Put the sum over all processes in the place of every gradient; a missing one counts as 0."""
        if self.alone:
            return
        grads: list[torch.Tensor] = []
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            grads.append(parameter.grad)
        for bucket in _buckets(grads):
            flat = torch.cat([grad.reshape(-1) for grad in bucket])
            distributed.all_reduce(flat)
            first = 0
            for grad in bucket:
                grad.copy_(flat[first : first + grad.numel()].view(grad.shape))
                first += grad.numel()

    def same_start(self, module: torch.nn.Module) -> None:
        """Give all processes the first one's weights."""
        if not self.alone:
            for value in module.state_dict().values():
                distributed.broadcast(value, src=0)

    def broadcast(self, value: Any) -> Any:
        """Return the first process's `value` in every process."""
        if self.alone:
            return value
        box: list[Any] = [value]
        cast(Any, distributed).broadcast_object_list(box, src=0)
        return box[0]

    def wait(self) -> None:
        """Go on when all processes have come here."""
        if not self.alone:
            cast(Any, distributed).barrier()


def _buckets(grads: Sequence[torch.Tensor]) -> list[list[torch.Tensor]]:
    """Return the gradients in order, in groups of one kind of at most `_BUCKET` numbers (a larger one by itself)."""
    groups: list[list[torch.Tensor]] = []
    held = 0
    for grad in grads:
        if groups and held + grad.numel() <= _BUCKET and groups[-1][0].dtype == grad.dtype:
            groups[-1].append(grad)
            held += grad.numel()
        else:
            groups.append([grad])
            held = grad.numel()
    return groups
