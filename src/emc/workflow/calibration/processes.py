"""Join the processes that ``torchrun`` started into one calibration."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

from emc.errors import EmcError
from emc.stages.calibrate import Processes

PATIENCE = timedelta(hours=12)
"""How long the others wait for the first process, which alone scores checkpoints."""


def asked_processes() -> Processes:
    """Return which process of how many this is, as ``torchrun`` says in the environment; alone without it."""
    if "MASTER_ADDR" not in os.environ:
        return Processes()
    return Processes(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


@contextmanager
def joined_processes() -> Generator[Processes]:
    """Join the other processes for as long as the context lasts; raises `EmcError` where they cannot be reached."""
    from torch import cuda, distributed

    asked = asked_processes()
    if asked.alone or distributed.is_initialized():
        yield asked
        return
    backend = "gloo"
    if cuda.is_available():
        cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        backend = "cpu:gloo,cuda:nccl"
    try:
        distributed.init_process_group(backend, timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise EmcError(
            f"process {asked.rank} of {asked.size} cannot join the others ({str(error).splitlines()[0]}): start all of "
            "them with one torchrun"
        ) from error
    try:
        yield asked
    finally:
        distributed.destroy_process_group()
