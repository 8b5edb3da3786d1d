"""What holds for every test run, the notebooks' included; it is set before anything imports PyTorch."""

import os

# What a notebook trains while it is tested is gone when its kernel ends, so a reader's own models stay as they are.
os.environ["COURSE_KEEP_MODELS"] = "0"
# One thread: as fast for networks of this size on two cores, and the same numbers on every run.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")


def pytest_collection_modifyitems(items):
    """The longest file directly after the notebooks, which come first: so two workers end at the same time."""
    items.sort(key=lambda item: not item.nodeid.startswith(("notebooks/", "tests/test_every_dataset.py")))
