"""Seeds and device: the two lines that every notebook starts with."""

import random

import numpy as np
import torch


def prepare(seed: int = 0) -> torch.device:
    """Seed every random generator that the notebooks use, and choose where tensors live.

    Returns the first CUDA device if there is one, else the CPU. The small networks of this course need
    no GPU: every training cell is sized for two CPU cores.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
