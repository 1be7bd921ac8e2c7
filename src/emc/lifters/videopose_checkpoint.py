"""Reading checkpoints of temporal-convolution lifters in the format of Pavllo et al. (CVPR 2019).

A checkpoint is a dictionary that `torch.save` wrote, with the state of the position network under ``model_pos`` and,
where it was trained semi-supervised, of the trajectory network under ``model_traj``. Nothing but tensors and plain
values is ever made from the file (``weights_only=True``). Random states of NumPy, which such files also hold, are
passed over: their bytes go to an object that keeps nothing.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from emc.errors import UsageError, WeightsError
from emc.lifters.temporal_network import TemporalNetwork
from emc.untrusted import one_line

FEATURES = 2
PASSED_OVER = (
    "numpy.random.__RandomState_ctor",
    "numpy.random._pickle.__randomstate_ctor",
    "numpy.random._pickle.__bit_generator_ctor",
    "numpy.random._mt19937.MT19937",
    "numpy.random.mtrand.RandomState",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.ndarray",
    "numpy.dtype",
)
"""What a generator's saved state names; none of it is called."""


class _Nothing:
    """Stands where a file asks for something that is not weights."""

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Networks of a checkpoint, in evaluation mode; `trajectory` where the file has one. epochs : 0 = not told."""

    position: TemporalNetwork
    trajectory: TemporalNetwork | None
    epochs: int


@one_line("download or copy it again", WeightsError)
def read_checkpoint(path: Path, causal: bool = False) -> Checkpoint:
    """Read the networks of a checkpoint file; their size follows from the weights.

    causal : whether it was trained to see only the past, which the file does not say.
    Raises `WeightsError` that names the file and what is wrong with it.
    """
    document = _loaded(path)
    state = document.get("model_pos")
    if not isinstance(state, Mapping):
        keys = ", ".join(str(key) for key in list(document)[:6]) or "nothing"
        raise WeightsError(f"{path} holds {keys}, but no 'model_pos': give a checkpoint of a temporal lifter")
    trajectory = document.get("model_traj")
    epochs = document.get("epoch")
    return Checkpoint(
        network_from_state(state, f"{path} (model_pos)", causal),
        network_from_state(trajectory, f"{path} (model_traj)", causal) if isinstance(trajectory, Mapping) else None,
        epochs if isinstance(epochs, int) else 0,
    )


def network_from_state(state: Mapping[str, Any], origin: str, causal: bool) -> TemporalNetwork:
    """Return the network whose state this is, in evaluation mode; raises `WeightsError` that names `origin`."""
    tensors = {key.removeprefix("module."): value for key, value in state.items() if isinstance(value, torch.Tensor)}
    try:
        expand, shrink = tensors["expand_conv.weight"], tensors["shrink.weight"]
        blocks = sum(key.startswith("layers_conv.") and key.endswith(".weight") for key in tensors) // 2
        widths = [expand.shape[2], *(tensors[f"layers_conv.{2 * block}.weight"].shape[2] for block in range(blocks))]
        joints_in, joints_out = expand.shape[1] // FEATURES, shrink.shape[0] // 3
        network = TemporalNetwork(joints_in, FEATURES, joints_out, widths, expand.shape[0], causal=causal)
        counters = {k: v for k, v in network.state_dict().items() if k.endswith("num_batches_tracked")}
        network.load_state_dict({**counters, **tensors})
    except (KeyError, IndexError, UsageError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(
            f"{origin} is not a temporal lifter of Pavllo et al. ({reason}): give a checkpoint with expand_conv, "
            "expand_bn, layers_conv.N, layers_bn.N and shrink"
        ) from error
    if any(not bool(torch.isfinite(value).all()) for value in tensors.values() if value.is_floating_point()):
        raise WeightsError(f"{origin} has weights that are not finite: choose an earlier checkpoint")
    return network.eval()


def _loaded(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise WeightsError(f"no lifter checkpoint at {path}: give the path of the .bin file")
    try:
        with torch.serialization.safe_globals([(_Nothing, name) for name in PASSED_OVER]):
            document = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path} holds more than weights and was not opened ({_refused(error)}): save its 'model_pos' alone "
            "with torch.save({'model_pos': ...}), on a machine where you trust the file"
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, AttributeError, TypeError, IndexError) as error:
        raise WeightsError(
            f"{path} is not a readable checkpoint ({' '.join(str(error).split())[:120]}): copy it again"
        ) from error
    if not isinstance(document, dict):
        raise WeightsError(f"{path} holds a {type(document).__name__}, not a checkpoint: give the .bin file itself")
    return document


def _refused(error: Exception) -> str:
    """Return what the file asked for, out of PyTorch's long advice on how to open it unsafely."""
    text = " ".join(str(error).split())
    found = re.search(r"(?:GLOBAL|class|operand) \S+", text)
    return found.group(0) if found else "it names what is not a tensor"
