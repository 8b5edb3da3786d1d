"""The classic mistakes of notebook 12's exercises, each with its own diagnosis."""

import pytest
import torch

from course_utils.judges import nearest_neighbours


def with_floor(frechet, held_out, training, x):
    return frechet(held_out, x), frechet(held_out, training[: len(x)])


def share(s, t, h, quantile=0.01, of=None, usual=None):
    distances, _ = nearest_neighbours(*(of or (s, t)))
    limit, _ = nearest_neighbours(*(usual or (h, t)))
    return (distances < limit.quantile(quantile)).float().mean().item()


def settled(a, b, seeds=3):
    if min(len(a), len(b)) < seeds:
        return "not settled"
    if max(a) < min(b):
        return "a"
    return "b" if max(b) < min(a) else "not settled"


def smaller(statistic):
    return lambda a, b: "a" if statistic(a) < statistic(b) else "b"


def swapped(a, b):
    return {"a": "b", "b": "a", "not settled": "not settled"}[settled(a, b)]


RIGHT = {"distance_with_floor": with_floor, "share_of_copies": share, "verdict": settled}
MISTAKES = [
    ("distance_with_floor", lambda f, h, t, x: (f(h, x), f(h, t)), "taken from 300 training images"),
    ("distance_with_floor", lambda f, h, t, x: (f(h, x), f(h, h)), "you compared held_out with itself"),
    ("distance_with_floor", lambda f, h, t, x: (f(h, x), f(t, t[:20])), "you compared training with itself"),
    ("distance_with_floor", lambda f, h, t, x: (f(t, x), f(t, h[:20])), "you measured against training"),
    ("distance_with_floor", lambda f, h, t, x: (f(h[:20], x), f(h[:20], t[:20])), "20 of the 60 held-out"),
    ("distance_with_floor", lambda f, h, t, x: (f(h, x[:10]), f(h, t[:10])), "you left samples out"),
    ("distance_with_floor", lambda f, h, t, x: (f(x, h), f(h, t[:20])), "the first argument of both calls"),
    ("distance_with_floor", lambda f, h, t, x: f(h, x), "the floor is missing"),
    ("distance_with_floor", lambda f, h, t, x: (f(h, t[:20]), 0.0), "you never gave frechet the samples"),
    ("distance_with_floor", lambda *all_: with_floor(*all_)[::-1], "you returned the floor first"),
    ("distance_with_floor", lambda *all_: sum(with_floor(*all_)), "return both numbers"),
    ("distance_with_floor", lambda f, h, t, x: (f(h, x), f(h, t[:20]) / 2), "unchanged"),
    ("distance_with_floor", lambda f, h, t, x: (1.0, 0.5), "you did not call frechet"),
    ("distance_with_floor", lambda f, h, t, x: (f(torch.cat([h, t]), x), 1.0), "keep real and drawn apart"),
    ("distance_with_floor", lambda f, h, t, x: (f(h, 20), 1.0), "was not given images (N, 1, 28, 28)"),
    ("share_of_copies", lambda s, t, h: share(s, t, h, of=(s, h)), "neighbours among the held-out images"),
    ("share_of_copies", lambda s, t, h: share(s, t, h, usual=(t, t)), "images searched among themselves"),
    ("share_of_copies", lambda s, t, h: share(s, t, h, usual=(t, h)), "queries and references swapped"),
    ("share_of_copies", lambda s, t, h: share(s, t, h, of=(t, s)), "each training image among the samples"),
    ("share_of_copies", lambda s, t, h: share(s, t, h, usual=(s, t)), "quantile of the samples' own"),
    ("share_of_copies", lambda s, t, h: share(h, t, h), "you counted held-out images"),
    ("share_of_copies", lambda s, t, h: share(s, t, h, quantile=0.99), "you took the 99 % quantile"),
    ("share_of_copies", lambda s, t, h: share(s, t, h, quantile=0.5), "you took the median as the limit"),
    ("share_of_copies", lambda s, t, h: 1 - share(s, t, h), "farther away than the limit"),
    ("share_of_copies", lambda s, t, h: 100 * share(s, t, h), "not percent"),
    ("share_of_copies", lambda s, t, h: round(len(s) * 0.5 * share(s, t, h), 3), "print the limit"),
    ("share_of_copies", lambda s, t, h: nearest_neighbours(s, t)[0].mean(), "the mean distance"),
    ("share_of_copies", lambda s, t, h: nearest_neighbours(h, t)[0].quantile(0.01), "the limit itself"),
    ("share_of_copies", lambda s, t, h: nearest_neighbours(s, t)[0], "a tensor of shape (150, 1)"),
    ("share_of_copies", lambda s, t, h: "30 %", "returned a str"),
    ("verdict", lambda a, b: settled(a, b, seeds=1), "from one or two seeds"),
    ("verdict", lambda a, b: settled(a, b, seeds=2), "from two seeds each"),
    ("verdict", smaller(lambda v: sum(v) / len(v)), "you compared means"),
    ("verdict", smaller(lambda v: sorted(v)[len(v) // 2]), "you compared medians"),
    ("verdict", smaller(lambda v: v[0]), "you compared the first seeds"),
    ("verdict", smaller(min), "you compared the best seeds"),
    ("verdict", smaller(max), "you compared the worst seeds"),
    ("verdict", swapped, "the two names are swapped"),
    ("verdict", lambda a, b: "not settled", "you never settle anything"),
    ("verdict", lambda a, b: max(a) < min(b), "return one of the texts"),
    ("verdict", lambda a, b: "b" if len(a) < 3 else settled(a, b), "(verdict): For a = [5.2]"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(name, assert_told):
    assert_told(name, RIGHT[name], "Right")


@pytest.mark.parametrize("name", RIGHT)
def test_stubs_read_to_do(name, assert_told):
    assert_told(name, lambda *arguments: None, "To do")


@pytest.mark.parametrize(("name", "answer", "diagnosis"), MISTAKES)
def test_each_mistake_gets_its_own_diagnosis(name, answer, diagnosis, assert_own_diagnosis):
    own = [mistake for mistake in MISTAKES if mistake[0] == name]
    assert_own_diagnosis(name, answer, diagnosis, own)
