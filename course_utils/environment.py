"""Seeds and device: the two lines that every notebook starts with; and random numbers beside the notebook's."""

import ctypes
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

# Of glibc's malloc.h, for `mallopt`.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def prepare(seed: int = 0) -> torch.device:
    """Seed every random generator that the notebooks use, and choose where tensors live.

    Returns the first CUDA device if there is one, else the CPU. The small networks of this course need
    no GPU: every training cell is sized for two CPU cores.
    """
    _seed_all(seed)
    _keep_freed_memory()
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def forked_random_numbers(seed: int = 0) -> Iterator[None]:
    """Within it, all random numbers (of torch on CPU and CUDA, NumPy, Python) start from `seed`; afterwards all go on
    as if nothing had been drawn.

    Whatever the course does beside the reader's code, such as drawing a demo, draws its random numbers within this.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    # All devices by name: torch.manual_seed seeds all of them, and fork_rng warns where it has to guess among several.
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        try:
            _seed_all(seed)
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)


def _seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _keep_freed_memory() -> None:
    """Let the C library keep up to 256 MB of what tensors leave, for the next ones.

    glibc gives each large block back to the system at once. The next tensor then gets new pages, which the system
    fills with zeros first: `make bench` shows what that costs. Other systems do without these settings.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, 128 * 2**20)
        mallopt(M_TRIM_THRESHOLD, 256 * 2**20)
