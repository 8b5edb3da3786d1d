"""Exercises of notebook 13: parts of different sizes, what is wrong with two processes, and when they pay."""

import torch

from course_utils.exercises.compare import Number, Tensor, Value
from course_utils.exercises.engine import exercise

# --- parts of different sizes ---


def weighted(gradients, counts):
    return sum(count * gradient for gradient, count in zip(gradients, counts)) / sum(counts)


exercise(
    "average_gradients",
    objective="average the gradients of parts of different sizes, so that the whole batch's gradient comes out",
    level=2,
    points=2,
    given=lambda: [
        (list(torch.randn(2, 5)), [96, 32]),
        (list(torch.randn(3, 4)), [10, 10, 1]),
        (list(torch.randn(2, 3)), [64, 64]),
    ],
    solution=weighted,
    also_right=(lambda g, n: (torch.stack(g) * torch.tensor(n)[:, None]).sum(dim=0) / sum(n),),
    compare=Tensor("a tensor, of the shape of one gradient"),
    describe=lambda gradients, counts: f"for parts of {' and '.join(map(str, counts))} images",
    mistakes=(
        (
            lambda g, n: sum(g) / len(g),
            "you took the plain mean: an image of a small part then counts for more than one of a large part. Weigh "
            "each gradient by its number of images",
        ),
        (lambda g, n: sum(g), "you added the gradients up: each is already an average, so average again"),
        (
            lambda g, n: sum(c * a for a, c in zip(g, n)),
            "that is the gradient of the sum of all losses: divide by the number of all images",
        ),
        (
            lambda g, n: sum(c * a for a, c in zip(g, n)) / len(g),
            "you divided by the number of parts: divide by the number of all images",
        ),
        (
            lambda g, n: sum(a / c for a, c in zip(g, n)),
            "you divided each gradient by its number of images, which its average has done already",
        ),
        (
            lambda g, n: g[max(range(len(n)), key=n.__getitem__)],
            "you kept the gradient of the largest part alone",
        ),
    ),
    told=((lambda g, n: torch.stack(g) / sum(n), "your result has shape (2, 5), right is (5,)"),),
    hints=(
        "Write the gradient of the whole batch as a sum over all images, divided by their number.",
        "Count times gradient gives back the sum over a part.",
        "sum(count * gradient for gradient, count in zip(gradients, counts)), divided by sum(counts).",
    ),
    praise="DDP takes the plain mean, so give every process equally many images, or weigh its loss.",
)


# --- what is wrong? ---


def cause(whole, half, processes, limit=1e-8):
    if processes > limit:
        return "not averaged"
    if whole <= limit:
        return "nothing"
    return "same images" if half <= limit else "a layer mixes images"


exercise(
    "what_is_wrong",
    objective="tell from three measured differences what is wrong with a training on two processes",
    level=3,
    points=3,
    given=lambda: [
        (2.6e-16, 0.27, 0.0),
        (0.26, 0.0, 0.018),
        (0.24, 3.1e-16, 0.0),
        (0.041, 0.29, 0.0),
        (0.31, 1.9e-16, 0.022),
        (0.0033, 0.25, 0.0),
        (5.9e-15, 0.31, 0.0),
    ],
    together=True,
    solution=cause,
    compare=Value(
        "one of the texts 'nothing', 'not averaged', 'same images' and 'a layer mixes images'", (str,)
    ),
    describe=lambda whole, half, processes: f"for {whole:g}, {half:g} and {processes:g}",
    mistakes=(
        (
            lambda w, h, p: cause(w, h, p, limit=0),
            "you compare with 0: in float64 two orders of adding up differ by about 1e-16, which is no fault",
        ),
        (
            lambda w, h, p: "same images" if h <= 1e-8 else cause(w, h, p),
            "you look at the half batch first: a gradient that is not averaged is that of a half batch, too. Whether "
            "the processes have different weights tells the two apart",
        ),
        (
            lambda w, h, p: cause(w, 1, p),
            "you leave out the half batch: a whole-batch gradient that is wrong may be exactly that of a half",
        ),
        (
            lambda w, h, p: "nothing" if p <= 1e-8 else "not averaged",
            "you only ask whether the processes agree: they can agree on a wrong gradient",
        ),
        (
            lambda w, h, p: "nothing" if w <= 0.01 else cause(w, h, p),
            "you take 0.3 % for rounding: in float64 rounding is ten trillion times smaller",
        ),
    ),
    told=((lambda w, h, p: cause(w, h, p).upper(), "you have 'NOTHING', right is 'nothing'"),),
    hints=(
        "Which of the four causes makes the processes' weights differ?",
        "If they agree, and the gradient is that of the whole batch, nothing is wrong. What if it is that of a half?",
        "Ask in this order: processes differ? whole batch right? half batch right? A difference of 1e-14 is rounding.",
    ),
    praise="Three numbers in float64, before the long run, are cheaper than a week with half of the batch.",
)


# --- when do several processes pay? ---


def batch(c, r, p):
    return r * p / (c * (p - 1))


exercise(
    "break_even_batch",
    objective="derive from the cost of a step from which batch size on several processes are faster than one",
    given=lambda: [(0.05, 3.0, 4), (0.1, 4.0, 2), (0.2, 9.0, 10)],
    solution=batch,
    compare=Number("one number, the batch size"),
    describe=lambda c, r, p: f"for {c} ms an image, {r} ms for the all-reduce and {p} processes",
    mistakes=(
        (
            lambda c, r, p: r / c,
            "you compare the all-reduce with the whole computation: P processes save only what the others do, a share "
            "of (P - 1) / P",
        ),
        (
            lambda c, r, p: r * p / c,
            "you compare the all-reduce with what remains, c B / P: compare it with what is saved",
        ),
        (
            lambda c, r, p: r * (p - 1) / (c * p),
            "your factor is upside down: the smaller the share that is saved, the larger the batch must be",
        ),
        (lambda c, r, p: r / (c * (p - 1)), "that is the part of one process: the batch is P times as large"),
        (
            lambda c, r, p: c * p / (r * (p - 1)),
            "a slow all-reduce must ask for a larger batch, not for a smaller one",
        ),
    ),
    told=((lambda c, r, p: "80", "returned a str"),),
    hints=(
        "Write down both step times, f + c B for one process and f + c B / P + r for P, and set them equal.",
        "f cancels. What is left is c B (1 - 1 / P) = r.",
    ),
    praise="Below that batch size, more processes make a step slower.",
)
