"""Random numbers: seeded at the start of a notebook, and left alone by all that is done beside its code."""

import random

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
