"""Exercises of notebook 12: a distance with its floor, two ways to find copies, and what several seeds settle."""

import operator
import statistics

import torch

from course_utils.exercises.compare import Number, Several, Value
from course_utils.exercises.engine import exercise
from course_utils.exercises.spies import Spy
from course_utils.judges import nearest_neighbours

# --- a distance with its floor ---

SIZES = {"held_out": 60, "training": 300, "x": 20}


def distance_cases():
    # Each set has a grey value of its own, so that it is recognised; which training images are taken is free.
    images = [torch.full((size, 1, 28, 28), i + 0.5) for i, size in enumerate(SIZES.values())]
    takes = {"real": ("N", 1, 28, 28), "x": ("M", 1, 28, 28)}
    # A number that tells the calls apart.
    frechet = Spy("frechet", lambda real, x: 100 / len(x) + 7 * real.mean().item() + x.mean().item(), takes)
    return [(frechet, *images)]


def given_to_frechet(call, kind):
    """The argument `kind` ("real" or "x") of each call: the names of the sets that it holds, and how many images."""
    images = [made[kind == "x"] for made in call.arguments[0].calls]
    return [({list(SIZES)[int(value)] for value in one[:, 0, 0, 0]}, len(one)) for one in images]


def compared(call):
    """(set, count, set, count) of each call, where none joins two sets."""
    pairs = zip(given_to_frechet(call, "real"), given_to_frechet(call, "x"))
    return [(min(real), real_count, min(x), count) for (real, real_count), (x, count) in pairs]


def some(condition):
    return lambda call: any(condition(*made) for made in compared(call))


def with_floor(frechet, held_out, training, x):
    return frechet(held_out, x), frechet(held_out, training[: len(x)])


exercise(
    "distance_with_floor",
    objective="measure a Frechet distance together with its floor, from equally many images",
    level=2,
    points=3,
    given=distance_cases,
    solution=with_floor,
    also_right=(
        lambda f, h, t, x: (f(h, x), f(h, t[-len(x) :])),
        lambda f, h, t, x: (f(h, x), f(h, t[torch.randperm(len(t))[: len(x)]])),
    ),
    compare=Several("the distance and its floor", (Number(), Number())),
    otherwise="Return what frechet gave you, unchanged.",
    mistakes=(
        (
            lambda f, h, t, x: (1.0, 0.5),
            "you did not call frechet, the function that you are given: it computes the distance for you",
            lambda call: not call.arguments[0].calls,
        ),
        (
            lambda f, h, t, x: (f(torch.cat([h, t]), x), 1.0),
            "you joined two sets of images into one: keep real and drawn apart",
            lambda call: any(
                len(sets) > 1 for kind in ("real", "x") for sets, _ in given_to_frechet(call, kind)
            ),
        ),
        (
            lambda f, h, t, x: (f(x, h), f(h, t[:20])),
            "held_out is the reference, so it is the first argument of both calls",
            some(lambda real, n, drawn, m: real != "held_out" and drawn == "held_out"),
        ),
        (
            lambda f, h, t, x: (f(h, x), f(h, h)),
            "you compared a set with itself: that is 0, or nearly, whatever the number of images, and no floor",
            some(lambda real, n, drawn, m: real == drawn),
        ),
        (
            lambda f, h, t, x: (f(t, x), f(h, t[:20])),
            "you measured against other images than the held-out ones: both numbers need the same reference",
            some(lambda real, n, drawn, m: real != "held_out"),
        ),
        (
            lambda f, h, t, x: (f(h[:20], x), f(h[:20], t[:20])),
            "you took only some of the 60 held-out images: use all of them, in both calls",
            some(lambda real, n, drawn, m: n != SIZES["held_out"]),
        ),
        (
            lambda f, h, t, x: (f(h, x[:10]), f(h, t[:10])),
            "you left samples out: x holds 20, and all of them count",
            some(lambda real, n, drawn, m: drawn == "x" and m != SIZES["x"]),
        ),
        (
            lambda f, h, t, x: (f(h, x), f(h, t)),
            "your floor is taken from another number of images than the distance: from more images the distance is "
            "smaller by itself. Take as many training images as there are samples",
            some(lambda real, n, drawn, m: drawn == "training" and m != SIZES["x"]),
        ),
        (
            lambda f, h, t, x: (f(h, x), 0.0),
            "the floor is missing: a second call, with training images in the place of the samples",
            lambda call: {drawn for _, _, drawn, _ in compared(call)} == {"x"},
        ),
        (
            lambda f, h, t, x: (f(h, t[:20]), 0.0),
            "you never gave frechet the samples x",
            lambda call: {drawn for _, _, drawn, _ in compared(call)} == {"training"},
        ),
        (
            lambda *all_: with_floor(*all_)[::-1],
            "you returned the floor first: the distance of the samples comes first",
        ),
    ),
    told=(
        (lambda f, h, t, x: f(h, x), "return 2 things: the distance and its floor"),
        (lambda f, h, t, x: (f(h, x), f(h, t[:20]) / 2), "Return what frechet gave you, unchanged"),
        (lambda f, h, t, x: (f(h, 20), 1.0), "your x is of type int"),
    ),
    hints=(
        "Two calls of frechet: one for the samples, and one for real images in their place.",
        "Both calls have held_out as their first argument. What stands in for x must be as many as x.",
        "The floor is frechet(held_out, training[: len(x)]). Return the distance first, then the floor.",
    ),
    praise="Equally many images on both sides of the comparison: the floor shows what so few can reach at best.",
)


# --- how many copies explain how often seen images are nearer ---


def copied(share, seen, unseen):
    chance = seen / (seen + unseen)
    return (share - chance) / (1 - chance)


exercise(
    "copied_share",
    objective="derive which share of copies explains how often a seen image is nearer than all unseen ones",
    level=2,
    points=2,
    # The numbers of strokes, those of MNIST, equal numbers, nothing but copies, and fewer than chance.
    given=lambda: [
        (0.9, 20_000, 3_600),
        (0.9, 60_000, 9_000),
        (0.75, 5_000, 5_000),
        (1.0, 20_000, 3_600),
        (0.8, 20_000, 3_600),
    ],
    together=True,
    solution=copied,
    also_right=(lambda share, seen, unseen: 1 - (1 - share) * (seen + unseen) / unseen,),
    compare=Number("one number, a share"),
    describe=lambda share, seen, unseen: (
        f"for a share of {share:g}, {seen:,} seen and {unseen:,} unseen images"
    ),
    otherwise="Put your c back into the share: copies give c, the new images (1 - c) times chance.",
    mistakes=(
        (
            lambda share, seen, unseen: share,
            "you returned the measured share: new images count, too, because a seen image is nearer by chance",
        ),
        (
            lambda share, seen, unseen: share - seen / (seen + unseen),
            "you subtracted chance and stopped: the new images are only a share 1 - c of all, so divide by 1 - chance",
        ),
        (
            lambda share, seen, unseen: 2 * share - 1,
            "you took one half for chance: that is right for equally many seen and unseen images only",
        ),
        (
            lambda share, seen, unseen: copied(share, unseen, seen),
            "your chance is that of an unseen image to be the nearest: it is seen / (seen + unseen)",
        ),
        (
            lambda share, seen, unseen: (share - seen / (seen + unseen)) / (seen / (seen + unseen)),
            "you divided by chance: from chance to 1 there is room for 1 - chance",
        ),
        (
            lambda share, seen, unseen: max(0.0, copied(share, seen, unseen)),
            "you cut off what is below 0: a share below chance must stay negative, or noise would look like copies",
        ),
        (
            lambda share, seen, unseen: 100 * copied(share, seen, unseen),
            "return a share, not percent",
        ),
    ),
    told=((lambda share, seen, unseen: 0.5 * share, "you have 0.45, right is 0.344444. Put your c back"),),
    hints=(
        "Two kinds of images: copies, a share c, and new ones, a share 1 - c. How often is a seen image the nearest?",
        "share = c * 1 + (1 - c) * chance, and chance = seen / (seen + unseen). Solve for c.",
        "share - chance = c * (1 - chance).",
    ),
    praise="The scale now begins at chance and ends at a machine that only copies, whatever the numbers of images.",
)


# --- copies of training images ---


def copies_cases():
    # Samples, of 150 of which 40 are training images with a little noise; training and held-out images.
    training, held_out, samples = (torch.rand(size, 1, 3, 3) for size in (400, 200, 150))
    # Spread a little wider, samples are farther from the training images than held-out images are.
    samples = 0.5 + 1.1 * (samples - 0.5)
    # Some held-out images are far from all others, so that the distances are not normal.
    held_out[-10:] = 0.5 + 2 * (held_out[-10:] - 0.5)
    noise = 0.005 * torch.randn(150, 1, 3, 3)
    samples[:40] = training[:40] + noise[:40]
    # A few lie near held-out images, so that a search among the wrong ones is recognised.
    samples[40:52] = held_out[:12] + noise[40:52]
    # And a few are nearer to a training image than all held-out images but one, so that a lower limit leaves them out.
    nearest = nearest_neighbours(held_out, training)[0].flatten().sort().values
    way = torch.randn(6, 1, 3, 3)
    way /= way.flatten(1).norm(dim=1)[:, None, None, None]
    samples[52:58] = training[52:58] + nearest[:2].mean() * way
    return [(samples, training, held_out)]


def share(of, limit_of, quantile=0.01):
    """The share of the first pair's nearest distances that are below a quantile of the second pair's."""
    distances, usual = nearest_neighbours(*of)[0], nearest_neighbours(*limit_of)[0]
    return (distances < usual.quantile(quantile)).float().mean().item()


def share_below_mean(of, limit_of, times):
    """As `share`, with the mean minus some standard deviations in the place of the quantile."""
    distances, usual = nearest_neighbours(*of)[0], nearest_neighbours(*limit_of)[0]
    return (distances < usual.mean() - times * usual.std()).float().mean().item()


exercise(
    "share_of_copies",
    objective="tell copies of training images from new images, with a limit that new real images set",
    level=3,
    points=3,
    given=copies_cases,
    solution=lambda s, t, h: share((s, t), (h, t)),
    compare=Number("one number, the share of the samples"),
    otherwise="Print the limit and some distances.",
    mistakes=(
        (
            lambda s, t, h: share((s, h), (h, t)),
            "you searched the samples' neighbours among the held-out images: a copy of a training image is found only "
            "among the training images",
        ),
        (
            lambda s, t, h: share((s, t), (h, h)),
            "your limit comes from images searched among themselves: each finds itself, at distance 0, and nothing is "
            "nearer than that",
        ),
        (
            lambda s, t, h: share((s, t), (t, h)),
            "your limit has queries and references swapped: search for each held-out image among the training images",
        ),
        (
            lambda s, t, h: share((t, s), (h, t)),
            "you searched for each training image among the samples: search for each sample among the training images",
        ),
        (
            lambda s, t, h: share((s, t), (s, t)),
            "your limit is a quantile of the samples' own distances, so that one in a hundred is always below it: take "
            "the held-out images' distances",
        ),
        (
            lambda s, t, h: share((h, t), (h, t)),
            "you counted held-out images, of which one in a hundred is below the limit by construction: count samples",
        ),
        (
            lambda s, t, h: share((s, t), (h, t), quantile=0.99),
            "you took the 99 % quantile: nearly every image is nearer than that",
        ),
        (
            lambda s, t, h: share((s, t), (h, t), quantile=0.5),
            "you took the median as the limit: half of all new images are nearer than that. Take the 1 % quantile",
        ),
        *(
            (
                answer,
                "your limit is too low, as the smallest distance of the held-out images is, or their mean minus some "
                "standard deviations: one held-out image in a hundred lies below the 1 % quantile",
            )
            for answer in (
                lambda s, t, h: share((s, t), (h, t), quantile=0.0),
                lambda s, t, h: share((s, t), (h, t), quantile=0.001),
                lambda s, t, h: share_below_mean((s, t), (h, t), times=2),
            )
        ),
        (
            lambda s, t, h: 1 - share((s, t), (h, t)),
            "you counted the samples that are farther away than the limit",
        ),
        (lambda s, t, h: 100 * share((s, t), (h, t)), "return a share, from 0 to 1, not percent"),
        (
            lambda s, t, h: len(s) * share((s, t), (h, t)),
            "you returned how many samples, not their share: divide by their number",
        ),
        (
            lambda s, t, h: nearest_neighbours(s, t)[0].mean(),
            "you returned the mean distance of the samples: compare each distance with the limit, and count",
        ),
        (
            lambda s, t, h: nearest_neighbours(h, t)[0].quantile(0.01),
            "you returned the limit itself: count the samples that are nearer than it",
        ),
    ),
    told=(
        (lambda s, t, h: 0.5 * share((s, t), (h, t)), "Print the limit"),
        (lambda s, t, h: nearest_neighbours(s, t)[0], "a tensor of shape (150, 1)"),
        (lambda s, t, h: "30 %", "returned a str"),
    ),
    hints=(
        "How near is a new image usually? The held-out images tell: nobody can have copied them.",
        "usual, _ = nearest_neighbours(held_out, training), and usual.quantile(0.01) is the limit.",
        "The same search for the samples, and (distances < limit).float().mean().item().",
    ),
    praise="The held-out images set the limit: one in a hundred new images is that near by chance.",
)


# --- what several seeds settle ---


def settled(a, b, too_few=lambda a, b: min(len(a), len(b)) < 3, below=operator.lt):
    if too_few(a, b):
        return "not settled"
    return "a" if below(max(a), min(b)) else "b" if below(max(b), min(a)) else "not settled"


def few(too_few):
    return lambda a, b: settled(a, b, too_few)


def smaller(statistic):
    return lambda a, b: "a" if statistic(a) < statistic(b) else "b"


exercise(
    "verdict",
    objective="say whether the results of several seeds settle which of two models is better",
    level=1,
    points=2,
    # Apart, apart the other way, overlapping in several ways, a tie, too few seeds of both, and of either, and unequal
    # numbers of seeds: apart, and overlapping in the fourth seed of either.
    given=lambda: [
        ([6.1, 6.4, 5.9], [9.8, 9.1, 10.2]),
        ([9.8, 9.1, 10.2], [6.1, 6.4, 5.9]),
        ([5.0, 9.0, 9.2], [7.0, 7.1, 7.4]),
        ([7.2, 5.1, 5.3], [6.9, 7.8, 8.0]),
        ([9.5, 5.0, 5.2], [7.0, 7.2, 7.4]),
        ([6.0, 6.1, 9.9], [6.5, 6.6, 6.7]),
        ([5.0, 5.3, 6.0], [6.0, 6.5, 7.0]),
        ([6.0, 6.5, 7.0], [5.0, 5.3, 6.0]),
        ([5.2], [7.7]),
        ([7.7, 7.9], [5.2, 5.0]),
        ([5.2, 5.0], [7.7, 7.9, 7.4, 7.5]),
        ([5.2, 5.0, 5.1, 4.9], [7.7, 7.9]),
        ([6.1, 6.4, 5.9], [9.8, 9.1, 10.2, 8.7]),
        ([6.1, 6.4, 5.9, 9.5], [9.8, 9.1, 10.2]),
        ([6.1, 6.4, 5.9], [9.8, 9.1, 10.2, 6.2]),
    ],
    together=True,
    solution=settled,
    compare=Value("one of the texts 'a', 'b' and 'not settled'", (str,)),
    describe=lambda a, b: f"for a = {a} and b = {b}",
    mistakes=(
        (
            few(lambda a, b: False),
            "from one or two seeds each, you declared a winner: with fewer than three, answer 'not settled'",
        ),
        (
            few(lambda a, b: min(len(a), len(b)) < 2),
            "from two seeds each, you declared a winner: with fewer than three, answer 'not settled'",
        ),
        *(
            (
                few(too_few),
                "you declared a winner although one of the two has fewer than three seeds: count the seeds of both",
            )
            for too_few in (
                lambda a, b: max(len(a), len(b)) < 3,
                lambda a, b: len(a) < 3,
                lambda a, b: len(b) < 3,
                lambda a, b: len(a) + len(b) < 6,
            )
        ),
        (
            few(lambda a, b: len(a) != len(b) or len(a) < 3),
            "you settle nothing where one model has more seeds than the other: at least three of each are enough",
        ),
        *(
            (answer, "you looked at the first three seeds of a model only: every seed counts, also a fourth")
            for answer in (
                lambda a, b: settled(a[:3], b[:3]),
                lambda a, b: settled(a[:3], b),
                lambda a, b: settled(a, b[:3]),
            )
        ),
        (
            lambda a, b: settled(a, b, below=operator.le),
            "you declared a winner although the worst seed of one is as good as the best of the other: every seed must "
            "lie below, so compare with < and not with <=",
        ),
        (
            smaller(statistics.mean),
            "you compared means: a mean is always smaller on one side, even if the seeds of both models overlap",
        ),
        (
            smaller(statistics.median),
            "you compared medians: one is always smaller, even if the seeds of both models overlap",
        ),
        (smaller(lambda values: values[0]), "you compared the first seeds only: look at all of them"),
        (
            smaller(min),
            "you compared the best seeds: who tries more seeds then wins. Compare the worst with the other's best",
        ),
        (
            smaller(max),
            "you compared the worst seeds: the worst of one must beat the best of the other",
        ),
        (
            lambda a, b: {"a": "b", "b": "a"}.get(settled(a, b), "not settled"),
            "the two names are swapped: it is a distance, and small is good",
        ),
        (
            lambda a, b: "not settled",
            "you never settle anything: where every value of one is below all of the other, name it",
        ),
    ),
    told=(
        (lambda a, b: max(a) < min(b), "return one of the texts"),
        (lambda a, b: "b" if len(a) < 3 else settled(a, b), "For a = [5.2] and b = [7.7]: you have 'b'"),
        (lambda a, b: "A" if len(a) < 3 else settled(a, b), "you have 'A', right is 'not settled'"),
    ),
    hints=(
        "When do the seeds of two models not overlap?",
        "a is better if max(a) < min(b): its worst seed beats the best one of b.",
        "First the case of fewer than three seeds, then the two cases with a winner; all else is 'not settled'.",
    ),
    praise="Two equal models would still look settled in one of ten comparisons of three seeds each: more seeds help.",
)
