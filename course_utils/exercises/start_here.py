"""Exercises of notebook 00: the order of cells, images as vectors, and the distance of the whole course."""

import torch

from course_utils.data import to_pixels
from course_utils.exercises.compare import Number, Several, Tensor, Whole
from course_utils.exercises.engine import exercise

# --- the order of cells ---

exercise(
    "printed",
    objective="tell from the counters of a notebook's cells what its kernel holds",
    given=lambda: [()],
    solution=lambda: (52, 26),
    compare=Several("what was printed, and what will be", (Whole(), Whole())),
    otherwise="Write the five lines down in the order in which they ran, with the values after each.",
    mistakes=(
        (
            lambda: (26, 26),
            "your first number is what a fresh kernel prints: what was printed follows the counters, not the page",
        ),
        (
            lambda: (26, 52),
            "your two numbers are the wrong way round: the counters tell what was printed, the page what will be",
        ),
        (
            lambda: (52, 52),
            "your second number is what was printed before: a fresh kernel runs the page from top to bottom",
        ),
        (
            lambda: (56, 26),
            "you left out that the cell at the top ran as the fourth, and set a to 2 again",
        ),
        (
            lambda: (22, 26),
            "b is computed once, when its cell runs: it does not follow when a changes later",
        ),
    ),
    told=(
        (lambda: (52, 20), "number 2 is not right: you have 20, right is 26"),
        (lambda: 52, "return 2 things"),
    ),
    also_right=(lambda: [52, 26],),
    hints=(
        "The number in brackets says when a cell ran. Sort the five lines by it.",
        "In this order: a = 5, b = 10 * a, a = a + 1, a = 2, print(a + b).",
        "For the second number, start with nothing and read the page from top to bottom.",
    ),
    praise="You read off the counters what the kernel holds. After a restart, the page alone decides.",
)


# --- images to rows ---


def rows(images):
    return images.flatten(start_dim=1)


exercise(
    "flatten",
    objective="turn images into rows, one point each, without mixing their pixels",
    # The sizes of the first case, 3 and 20, fit the numbers of the second, too, so that who types them in is told.
    given=lambda: [(torch.arange(60.0).reshape(shape),) for shape in [(3, 1, 4, 5), (1, 1, 6, 10)]],
    solution=rows,
    also_right=(lambda images: images.view(len(images), -1), lambda images: rows(images).double()),
    compare=Tensor("a tensor (N, H · W)"),
    describe=lambda images: (
        f"for {len(images)} image{'s' if len(images) > 1 else ''} of {images.shape[2]} × {images.shape[3]} pixels"
    ),
    mistakes=(
        (lambda images: images, "you returned the images as they came: each of them must become one row"),
        (
            lambda images: images.reshape(-1),
            "you merged the images as well, into one single row: keep dimension 0",
        ),
        (
            lambda images: rows(images).T,
            "your rows are pixels and your columns are images: it must be the other way round",
        ),
        (
            lambda images: images.permute(1, 2, 3, 0).reshape(3, 20),
            "the shape is right, but the pixels of different images are mixed, or stand in another order",
            lambda call: (
                call.result.shape == call.expected.shape
                and not call.right
                and sorted(call.result.flatten().tolist()) == list(range(60))
            ),
        ),
        (
            lambda images: images.reshape(3, 20),
            "you typed in the sizes of one case: take them from `images`, whose number and size may be others",
        ),
        (
            lambda images: images.squeeze().flatten(start_dim=1),
            "`squeeze` removes every dimension of size 1: for a single image that of the images, too",
        ),
    ),
    told=(
        (lambda images: images.flatten(2), "your result has shape (3, 1, 20), right is (3, 20)"),
        (lambda images: rows(images) * rows(images) / rows(images), "at [0, 0] you have nan, right is 0"),
        (lambda images: rows(images).numpy(), "returned a ndarray; return a tensor (N, H · W)"),
    ),
    hints=(
        "The number of images must stay: each image becomes one row.",
        "Look at `Tensor.flatten`: it takes the first dimension that it is to merge.",
        "`images.flatten(start_dim=1)` merges everything behind dimension 0.",
    ),
    praise="Each image is now one row: one point with as many coordinates as it has pixels.",
)


# --- the squared error per image ---


def squares(a, b):
    """The squared difference of each pixel, (N, 784)."""
    return rows((to_pixels(a) - to_pixels(b)).square())


exercise(
    "squared_distance",
    objective="compute the squared error per image from images as they are stored",
    level=2,
    points=2,
    given=lambda: [tuple(torch.randint(256, (2, n, 28, 28), dtype=torch.uint8)) for n in (6, 1)],
    solution=lambda a, b: squares(a, b).sum(dim=1).mean(),
    also_right=(lambda a, b: ((a.double() - b.double()) / 255).square().sum().item() / len(a),),
    compare=Number("one number, the average over the images"),
    otherwise="Sum over pixels, average over images, with pixels in [0, 1].",
    mistakes=(
        (
            lambda a, b: squares(a, b).mean(),
            "784 times too small: you averaged over the pixels. Sum over them, and average over images",
        ),
        (
            lambda a, b: squares(a, b).sum(),
            "6 times too large for 6 images: you summed over the images. Average over them",
        ),
        (
            lambda a, b: rows((a.float() - b.float()).square()).sum(dim=1).mean(),
            "255 × 255 times too large: your pixels still run from 0 to 255. Divide by 255 first",
        ),
        (
            lambda a, b: rows(to_pixels(a - b).square()).sum(dim=1).mean(),
            "subtracting uint8 images wraps around (3 - 5 is 254). Turn them into floats before you subtract",
        ),
        (
            lambda a, b: rows((a - b) ** 2).float().sum(dim=1).mean(),
            "arithmetic with uint8 images wraps around at 256. Turn them into floats before you subtract",
        ),
        (
            lambda a, b: squares(a, b).sum() / 6,
            "you divided by 6, which is right for 6 images alone: take the number of images from `a`",
        ),
        (
            lambda a, b: squares(a, b).sum(dim=1).sqrt().mean(),
            "you took the square root: this is the distance, not its square",
        ),
        (
            lambda a, b: squares(a, b).sqrt().sum(dim=1).mean(),
            "you did not square the differences",
        ),
    ),
    told=(
        (lambda a, b: torch.tensor(5.0), "You have 5, right is"),
        (lambda a, b: squares(a, b).sum(dim=1), "your result is a tensor of shape (6,)"),
        (lambda a, b: 1.01 * squares(a, b).sum(dim=1).mean(), "Sum over pixels, average over images"),
    ),
    hints=(
        "The images come as uint8, whole numbers from 0 to 255, and uint8 cannot hold negative differences.",
        "`to_pixels` turns them into floats in [0, 1].",
        "Square the difference, sum over all pixels of an image (`.flatten(1).sum(1)`), then average over images.",
    ),
    praise="Sum over pixels, mean over images: this is the squared error per image of the whole course.",
)
