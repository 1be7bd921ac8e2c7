from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from emc.config import PredictSettings
from emc.workflow.compute import keep_freed_memory, set_threads


def test_the_asked_number_of_threads_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    try:
        set_threads(PredictSettings(threads=2))
        assert torch.get_num_threads() == 2
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        set_threads(PredictSettings())
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


FAULTS = """
import resource, sys
import numpy as np
from emc.workflow.compute import keep_freed_memory
if sys.argv[1] == "kept" and not keep_freed_memory():
    print(-1); sys.exit()
def use():
    held = [np.ones(6_000_000, dtype=np.uint8) for _ in range(20)]
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc has the switch")
def test_freed_blocks_are_used_again_without_asking_the_system() -> None:
    def faults(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
        return int(done.stdout)

    kept = faults("kept")
    if kept < 0:
        pytest.skip("this C library has no mallopt")
    assert kept < 0.2 * faults("given back")


HEAPS = """
import sys, threading
from emc.workflow.compute import share_one_heap
if sys.argv[1] == "one" and not share_one_heap():
    print(-1); sys.exit()
def use():
    held = [bytearray(6_000 + i) for i in range(2_000)]
    barrier.wait()
barrier = threading.Barrier(4)
threads = [threading.Thread(target=use) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
import ctypes, tempfile
library = ctypes.CDLL(None)
library.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as file:
    stream = ctypes.c_void_p(library.fopen(file.name.encode(), b"w"))
    library.malloc_info(0, stream)
    library.fclose(stream)
    print(file.read().decode().count("<heap nr"))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc has the switch")
def test_threads_share_one_heap() -> None:
    def heaps(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", HEAPS, how], capture_output=True, text=True, check=True)
        return int(done.stdout)

    one = heaps("one")
    if one < 0:
        pytest.skip("this C library has no mallopt")
    assert one == 1
    assert heaps("each") > 1


def test_it_may_be_asked_twice() -> None:
    assert keep_freed_memory() == keep_freed_memory()
