"""Random numbers: seeded at the start of a notebook, and left alone by all that is done beside its code."""

import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from course_utils.environment import forked_random_numbers, prepare


def one_of_each() -> list[float]:
    numbers = [random.random(), np.random.rand(), torch.rand(()).item()]
    return numbers + [torch.rand((), device=f"cuda:{i}").item() for i in range(torch.cuda.device_count())]


def test_prepare_seeds_every_generator():
    prepare(seed=5)
    first = one_of_each()
    prepare(seed=5)
    assert one_of_each() == first
    prepare(seed=6)
    assert not set(one_of_each()) & set(first)


PAGES_OF_LARGE_TENSORS = """
import resource
import torch
from course_utils.environment import prepare


def new_pages():
    for i in range(40):
        if i == 20:
            first = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        torch.ones(10_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - first

print(new_pages())
prepare()
print(new_pages())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep what is freed in ways of their own")
def test_a_large_tensor_is_written_into_the_memory_of_the_one_before():
    # Twenty new tensors of 40 MB take hundreds of new pages, even where a page has 2 MB.
    command = [sys.executable, "-c", PAGES_OF_LARGE_TENSORS]
    before, after = map(int, subprocess.run(command, capture_output=True, check=True).stdout.split())
    assert before >= 100 > after


def test_forked_random_numbers_start_from_the_seed():
    with forked_random_numbers(seed=5):
        forked = one_of_each()
    prepare(seed=5)
    assert one_of_each() == forked


def test_after_a_fork_all_go_on_as_before():
    prepare(seed=1)
    one_of_each()
    expected = one_of_each()
    prepare(seed=1)
    one_of_each()
    with forked_random_numbers(seed=2):
        one_of_each()
    assert one_of_each() == expected


def test_a_fork_that_ends_in_an_error_leaves_them_alone_too():
    prepare(seed=1)
    expected = one_of_each()
    prepare(seed=1)
    with pytest.raises(ZeroDivisionError), forked_random_numbers():
        raise ZeroDivisionError
    assert one_of_each() == expected


def test_every_cuda_device_is_forked(monkeypatch):
    # A machine without a GPU stands in for one with two: what fork_rng is asked to keep is what counts.
    asked = []
    fork = torch.random.fork_rng

    def recording_fork(devices):
        asked.append(list(devices))
        return fork(devices=[])

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.random, "fork_rng", recording_fork)
    with forked_random_numbers():
        pass
    assert asked == [[0, 1]]
