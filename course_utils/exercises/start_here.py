"""Exercises of notebook 00: images as vectors, and the distance that the whole course is about."""

import torch

from course_utils.exercises.registry import Wrong, call, exercise


@exercise(
    "flatten",
    hints=(
        "The number of images must stay: each image becomes one row.",
        "Look at `Tensor.flatten`: it takes the first dimension that it is to merge.",
        "`images.flatten(start_dim=1)` merges everything behind dimension 0.",
    ),
    praise="Each image is now one row: one point with as many coordinates as it has pixels.",
)
def check_flatten(answer):
    images = torch.arange(3 * 1 * 4 * 5, dtype=torch.float32).reshape(3, 1, 4, 5)
    rows = call(answer, images)
    if not isinstance(rows, torch.Tensor):
        raise Wrong(f"your function returns a {type(rows).__name__}; it must return a tensor.")
    if rows.shape == (60,):
        raise Wrong(
            "you merged the images as well: 3 images of 4 x 5 pixels became one row of 60. Keep dimension 0."
        )
    if rows.shape == (20, 3):
        raise Wrong("your rows are pixels and your columns are images: shape (20, 3). It must be (3, 20).")
    if rows.shape != (3, 20):
        raise Wrong(f"3 images of 4 x 5 pixels must become shape (3, 20); yours is {tuple(rows.shape)}.")
    if not torch.equal(rows[1], images[1].reshape(-1)):
        raise Wrong(
            "the shape is right, but the pixels of different images are mixed, or stand in another order."
        )


@exercise(
    "squared_distance",
    hints=(
        "The images come as uint8, whole numbers from 0 to 255, and uint8 cannot hold negative differences.",
        "`to_pixels` turns them into floats in [0, 1].",
        "Square the difference, sum over all pixels of an image (`.flatten(1).sum(1)`), then average over images.",
    ),
    praise="Sum over pixels, mean over images: this is the squared error per image of the whole course.",
)
def check_squared_distance(answer):
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randint(0, 256, (6, 28, 28), generator=generator, dtype=torch.uint8) for _ in range(2))
    got = float(call(answer, a, b))
    squares = (a.double() - b.double()).square() / 255**2
    expected = squares.sum(dim=(1, 2)).mean().item()
    wrapped = ((a - b).double() / 255).square().sum(dim=(1, 2)).mean().item()
    overflowing = ((a - b) ** 2).double().sum(dim=(1, 2)).mean().item()
    diagnoses = {
        expected
        / 784: "784 times too small: you averaged over the pixels. Sum over them, and average over images",
        expected * 6: "6 times too large for 6 images: you summed over the images. Average over them",
        expected
        * 255**2: "255 x 255 times too large: your pixels still run from 0 to 255. Divide by 255 first",
        wrapped: "subtracting uint8 images wraps around (3 - 5 is 254). Turn them into floats before you subtract",
        overflowing: "arithmetic with uint8 images wraps around at 256. Turn them into floats before you subtract",
        squares.sum(dim=(1, 2))
        .sqrt()
        .mean()
        .item(): "you took the square root: this is the distance, not its square",
        (a.double() - b.double()).abs().sum(dim=(1, 2)).mean().item()
        / 255: "you did not square the differences",
    }
    if abs(got - expected) <= 1e-4 * expected:
        return
    for value, diagnosis in diagnoses.items():
        if abs(got - value) <= 1e-4 * abs(value):
            raise Wrong(f"{diagnosis}. You have {got:.6g}, right is {expected:.6g}.")
    raise Wrong(
        f"you have {got:.6g}, right is {expected:.6g}: sum over pixels, mean over images, pixels in [0, 1]."
    )
