"""What holds for every test run, the notebooks' included; it is set before anything imports PyTorch."""

import os

# What a notebook trains while it is tested is gone when its kernel ends, so a reader's own models stay as they are.
os.environ["COURSE_KEEP_MODELS"] = "0"
# One thread: as fast for networks of this size on two cores, and the same numbers on every run.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")


# What takes longest comes first, so that two workers end at the same time.
FIRST = (
    "notebooks/",
    "tests/test_every_dataset.py",
    "tests/workshop/test_guide.py",
    "tests/workshop/test_grade.py",
)


def pytest_collection_modifyitems(items):
    """The notebooks and the longest files before all others."""
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))
