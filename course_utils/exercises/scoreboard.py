"""Exercises of notebook 12: a distance with its floor, copies of training images, and what several seeds settle."""

import torch

from course_utils.exercises.registry import Wrong, call, exercise

# --- a distance with its floor ---

SIZES = {"held_out": 60, "training": 300, "x": 20}


class _Spy:
    """Stands in for `frechet_distance`: remembers what it was given, and returns a number that tells it again."""

    def __init__(self):
        # Each set has grey values of its own, so that a part of it is recognised.
        self.images = {
            name: i + torch.linspace(0.1, 0.9, size)[:, None, None, None].expand(size, 1, 28, 28)
            for i, (name, size) in enumerate(SIZES.items())
        }
        self.calls: list[tuple[str, int, str, int]] = []
        self.results: list[float] = []

    def __call__(self, real, x) -> float:
        self.calls.append((*self._recognise("real", real), *self._recognise("x", x)))
        self.results.append(100.0 / len(x) + len(self.calls))
        return self.results[-1]

    def _recognise(self, argument: str, images) -> tuple[str, int]:
        if not isinstance(images, torch.Tensor) or images.ndim != 4 or len(images) == 0:
            raise Wrong(f"frechet was not given images (N, 1, 28, 28) as its argument {argument!r}.")
        sets = {list(SIZES)[int(value)] for value in images[:, 0, 0, 0].tolist()}
        if len(sets) > 1:
            raise Wrong(f"you joined {' and '.join(sorted(sets))} into one set: keep real and drawn apart.")
        return sets.pop(), len(images)


@exercise(
    "distance_with_floor",
    hints=(
        "Two calls of frechet: one for the samples, and one for real images in their place.",
        "Both calls have held_out as their first argument. What stands in for x must be as many as x.",
        "The floor is frechet(held_out, training[: len(x)]). Return the distance first, then the floor.",
    ),
    praise="Equally many images on both sides of the comparison: the floor shows what so few can reach at best.",
)
def check_distance_with_floor(answer) -> None:
    spy = _Spy()
    result = call(answer, spy, spy.images["held_out"], spy.images["training"], spy.images["x"])
    if not spy.calls:
        raise Wrong(
            "you did not call frechet, the function that you are given: it computes the distance for you."
        )
    for made in spy.calls:
        _diagnose_call(*made)
    if len(set(spy.calls)) == 1:
        raise Wrong(
            "the floor is missing: a second call, with training images in the place of the samples."
            if spy.calls[0][2] == "x"
            else "you never gave frechet the samples x."
        )
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Wrong(
            "return both numbers, the distance and its floor: "
            f"you returned {'a ' + type(result).__name__ if not isinstance(result, tuple | list) else len(result)}"
            "."
        )
    by_kind = {made[2]: value for made, value in zip(spy.calls, spy.results)}
    expected = (by_kind["x"], by_kind["training"])
    if tuple(result) == expected[::-1]:
        raise Wrong("you returned the floor first: the distance of the samples comes first.")
    if tuple(result) != expected:
        raise Wrong(
            f"return what frechet gave you, unchanged: {expected}; you returned {tuple(result)}, which is not that."
        )


def _diagnose_call(real: str, real_count: int, drawn: str, count: int) -> None:
    """Raise Wrong unless this call is the distance or the floor, as asked."""
    if (real, drawn) == ("x", "held_out") or (real, drawn) == ("training", "held_out"):
        raise Wrong("held_out is the reference, so it is the first argument of both calls.")
    if real == drawn:
        raise Wrong(
            f"you compared {real} with itself: that is 0, or nearly, whatever the number of images, and no floor."
        )
    if real != "held_out":
        raise Wrong(
            f"you measured against {real}: both numbers need the same reference, the held-out images."
        )
    if real_count != SIZES["held_out"]:
        raise Wrong(
            f"you took {real_count} of the {SIZES['held_out']} held-out images: use all of them, in both calls."
        )
    if drawn == "x" and count != SIZES["x"]:
        raise Wrong(f"you left samples out: x holds {SIZES['x']}, and you passed {count}.")
    if drawn == "training" and count != SIZES["x"]:
        raise Wrong(
            f"your floor is taken from {count} training images, the distance from {SIZES['x']} samples: from more "
            "images the distance is smaller by itself. Take as many as there are samples."
        )


# --- copies of training images ---


def _nearest(queries: torch.Tensor, references: torch.Tensor) -> torch.Tensor:
    return torch.cdist(queries.flatten(1), references.flatten(1)).amin(dim=1)


def _images_with_copies():
    """Samples, of 150 of which 40 are training images with a little noise; training and held-out images."""
    generator = torch.Generator().manual_seed(0)
    training, held_out, samples = (torch.rand(size, 1, 3, 3, generator=generator) for size in (400, 200, 150))
    # Spread a little wider, samples are farther from the training images than held-out images are.
    samples = 0.5 + 1.1 * (samples - 0.5)
    noise = 0.005 * torch.randn(150, 1, 3, 3, generator=generator)
    samples[:40] = training[:40] + noise[:40]
    # A few lie near held-out images, so that a search among the wrong ones is recognised.
    samples[40:52] = held_out[:12] + noise[40:52]
    return samples, training, held_out


def _share(distances: torch.Tensor, usual: torch.Tensor, quantile: float = 0.01) -> float:
    return (distances < usual.quantile(quantile)).float().mean().item()


COPY_MISTAKES = (
    (
        lambda s, t, h: _share(_nearest(s, h), _nearest(h, t)),
        "you searched the samples' neighbours among the held-out images: a copy of a training image is found only "
        "among the training images",
    ),
    (
        lambda s, t, h: _share(_nearest(s, t), _nearest(h, h)),
        "your limit comes from images searched among themselves: each finds itself, at distance 0, and nothing is "
        "nearer than that",
    ),
    (
        lambda s, t, h: _share(_nearest(s, t), _nearest(t, h)),
        "your limit has queries and references swapped: search for each held-out image among the training images",
    ),
    (
        lambda s, t, h: _share(_nearest(t, s), _nearest(h, t)),
        "you searched for each training image among the samples: search for each sample among the training images",
    ),
    (
        lambda s, t, h: _share(_nearest(s, t), _nearest(s, t)),
        "your limit is a quantile of the samples' own distances, so that one in a hundred is always below it: take "
        "the held-out images' distances",
    ),
    (
        lambda s, t, h: _share(_nearest(h, t), _nearest(h, t)),
        "you counted held-out images, of which one in a hundred is below the limit by construction: count samples",
    ),
    (
        lambda s, t, h: _share(_nearest(s, t), _nearest(h, t), quantile=0.99),
        "you took the 99 % quantile: nearly every image is nearer than that",
    ),
    (
        lambda s, t, h: _share(_nearest(s, t), _nearest(h, t), quantile=0.5),
        "you took the median as the limit: half of all new images are nearer than that. Take the 1 % quantile",
    ),
    (
        lambda s, t, h: 1 - _share(_nearest(s, t), _nearest(h, t)),
        "you counted the samples that are farther away than the limit",
    ),
    (
        lambda s, t, h: 100 * _share(_nearest(s, t), _nearest(h, t)),
        "return a share, from 0 to 1, not percent",
    ),
    (
        lambda s, t, h: len(s) * _share(_nearest(s, t), _nearest(h, t)),
        "you returned how many samples, not their share: divide by their number",
    ),
    (
        lambda s, t, h: _nearest(s, t).mean().item(),
        "you returned the mean distance of the samples: compare each distance with the limit, and count",
    ),
    (
        lambda s, t, h: _nearest(h, t).quantile(0.01).item(),
        "you returned the limit itself: count the samples that are nearer than it",
    ),
)


@exercise(
    "share_of_copies",
    hints=(
        "How near is a new image usually? The held-out images tell: nobody can have copied them.",
        "usual, _ = nearest_neighbours(held_out, training), and usual.quantile(0.01) is the limit.",
        "The same search for the samples, and (distances < limit).float().mean().item().",
    ),
    praise="The held-out images set the limit: one in a hundred new images is that near by chance.",
)
def check_share_of_copies(answer) -> None:
    samples, training, held_out = _images_with_copies()
    result = call(answer, samples.clone(), training.clone(), held_out.clone())
    if isinstance(result, torch.Tensor) and result.numel() == 1:
        result = result.item()
    if not isinstance(result, int | float):
        kind = (
            f"a tensor of shape {tuple(result.shape)}"
            if isinstance(result, torch.Tensor)
            else f"a {type(result).__name__}"
        )
        raise Wrong(f"your function returned {kind}; return one number, the share of the samples.")
    expected = _share(_nearest(samples, training), _nearest(held_out, training))
    if abs(result - expected) < 1e-6:
        return
    for mistake, diagnosis in COPY_MISTAKES:
        if abs(result - mistake(samples, training, held_out)) < 1e-4 * max(1.0, abs(result)):
            raise Wrong(f"{diagnosis}. You have {result:.3g}, right is {expected:.3g}.")
    raise Wrong(f"you have {result:.3g}, right is {expected:.3g}: print the limit and some distances.")


# --- what several seeds settle ---

VERDICTS = ("a", "b", "not settled")
# Distances of two models over seeds: apart, apart the other way, overlapping in several ways, too few seeds.
CASES = (
    ([6.1, 6.4, 5.9], [9.8, 9.1, 10.2], "a"),
    ([9.8, 9.1, 10.2], [6.1, 6.4, 5.9], "b"),
    ([5.0, 9.0, 9.2], [7.0, 7.1, 7.4], "not settled"),
    ([7.2, 5.1, 5.3], [6.9, 7.8, 8.0], "not settled"),
    ([9.5, 5.0, 5.2], [7.0, 7.2, 7.4], "not settled"),
    ([6.0, 6.1, 9.9], [6.5, 6.6, 6.7], "not settled"),
    ([5.2], [7.7], "not settled"),
    ([7.7, 7.9], [5.2, 5.0], "not settled"),
)


def _apart(a: list[float], b: list[float], seeds: int = 3) -> str:
    if min(len(a), len(b)) < seeds:
        return "not settled"
    return "a" if max(a) < min(b) else "b" if max(b) < min(a) else "not settled"


def _smaller(statistic):
    return lambda a, b: "a" if statistic(a) < statistic(b) else "b"


VERDICT_MISTAKES = (
    (
        lambda a, b: _apart(a, b, seeds=1),
        "from one or two seeds each, you declared a winner: with fewer than three, answer 'not settled'",
    ),
    (
        lambda a, b: _apart(a, b, seeds=2),
        "from two seeds each, you declared a winner: with fewer than three, answer 'not settled'",
    ),
    (
        _smaller(lambda values: sum(values) / len(values)),
        "you compared means: a mean is always smaller on one side, even if the seeds of both models lie mixed up",
    ),
    (
        _smaller(lambda values: sorted(values)[len(values) // 2]),
        "you compared medians: one is always smaller, even if the seeds of both models lie mixed up",
    ),
    (_smaller(lambda values: values[0]), "you compared the first seeds only: look at all of them"),
    (
        _smaller(min),
        "you compared the best seeds: who tries more seeds then wins. Compare the worst with the other's best",
    ),
    (_smaller(max), "you compared the worst seeds: the worst of one must beat the best of the other"),
    (
        lambda a, b: {"a": "b", "b": "a"}.get(_apart(a, b), "not settled"),
        "the two names are swapped: it is a distance, and small is good",
    ),
    (
        lambda a, b: "not settled",
        "you never settle anything: where every value of one is below all of the other, name it",
    ),
)


@exercise(
    "verdict",
    hints=(
        "When do the seeds of two models not lie mixed up?",
        "a is better if max(a) < min(b): its worst seed beats the best one of b.",
        "First the case of fewer than three seeds, then the two cases with a winner; all else is 'not settled'.",
    ),
    praise="Two equal models would still look settled in one of ten comparisons of three seeds each: more seeds help.",
)
def check_verdict(answer) -> None:
    results = [call(answer, list(a), list(b)) for a, b, _ in CASES]
    for result in results:
        if result not in VERDICTS:
            raise Wrong(f"return one of the texts 'a', 'b' and 'not settled'; you returned {result!r}.")
    expected = [verdict for _, _, verdict in CASES]
    if results == expected:
        return
    position = next(i for i, (own, right) in enumerate(zip(results, expected)) if own != right)
    a, b, right = CASES[position]
    example = f"For a = {a} and b = {b} you say {results[position]!r}, right is {right!r}."
    for mistake, diagnosis in VERDICT_MISTAKES:
        if results == [mistake(a, b) for a, b, _ in CASES]:
            raise Wrong(f"{diagnosis}. {example}")
    raise Wrong(example)
