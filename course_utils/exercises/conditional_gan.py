"""Exercises of notebook 11: a conditional discriminator's loss, one noise under all labels, a test of the condition."""

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.exercises.registry import Wrong, call, exercise

CLASSES = 7  # not 10, so that a ten in the reader's code is noticed


class _PairScore(nn.Module):
    """A discriminator whose logit is another one for every pair of image and label."""

    def __init__(self):
        super().__init__()
        self.of_images = nn.Parameter(torch.linspace(-2, 2, 784))
        self.of_labels = nn.Parameter(torch.linspace(-1.5, 1.5, CLASSES))

    def forward(self, x, y):
        if y.dtype != torch.int64 or y.shape != (len(x),):
            raise Wrong(
                f"D was given labels of type {y.dtype} and shape {tuple(y.shape)} for {len(x)} images; it takes "
                "one whole number for each image."
            )
        return x.flatten(1) @ self.of_images / 30 + self.of_labels[y]


@exercise(
    "conditional_discriminator_loss",
    hints=(
        "D judges pairs. Which label belongs to a real image, and which one to a fake?",
        "Real pairs (x, y) have the target 1, fake pairs (fakes, y_fake) the target 0. Each half is a mean over its "
        "images; add the two.",
        "No gradient may reach G from here: D(fakes.detach(), y_fake).",
    ),
    praise="Every image meets its own label, both halves count, and G is left alone.",
)
def check_conditional_discriminator_loss(answer) -> None:
    torch.manual_seed(0)
    D = _PairScore()
    x = torch.rand(6, 1, 28, 28)
    y, y_fake = torch.tensor([0, 1, 2, 3, 4, 5]), torch.tensor([6, 6, 1, 0, 2, 2])
    weight_of_G = torch.full((4 + 2, 1, 28, 28), 0.6, requires_grad=True)
    fakes = weight_of_G * torch.rand(6, 1, 28, 28)
    loss = call(answer, D, x, y, fakes, y_fake)
    if not isinstance(loss, torch.Tensor):
        raise Wrong(
            f"your function returned a {type(loss).__name__}; return a tensor, so that it has gradients."
        )
    if loss.numel() != 1:
        raise Wrong(f"your loss has shape {tuple(loss.shape)}; average over the images, to a single number.")
    _diagnose_loss(loss.detach().item(), _halves(D, x, y, fakes.detach(), y_fake))
    if not loss.requires_grad:
        raise Wrong("the value is right, but it has no gradient: D cannot learn from it.")
    loss.backward()
    if weight_of_G.grad is not None:
        raise Wrong(
            "the value is right, but its gradient reaches G, which would learn to help D: call D with fakes.detach()."
        )
    if D.of_images.grad is None:
        raise Wrong("the value is right, but no gradient reaches D: detach the fakes, not the logits.")


@torch.no_grad()
def _halves(D, x, y, fakes, y_fake) -> dict[str, float]:
    """The mean losses of all pairs that an answer may have judged, by images, labels and target."""
    pairs = {
        "x, y": (x, y),
        "fakes, y_fake": (fakes, y_fake),
        "x, y_fake": (x, y_fake),
        "fakes, y": (fakes, y),
    }
    return {
        f"{name}, {target}": F.softplus(-D(*pair) if target else D(*pair)).mean().item()
        for name, pair in pairs.items()
        for target in (0, 1)
    }


def _diagnose_loss(loss: float, halves: dict[str, float]) -> None:
    real, fake = halves["x, y, 1"], halves["fakes, y_fake, 0"]
    if _close(loss, real + fake):
        return
    mistakes = (
        (
            halves["x, y_fake, 1"] + halves["fakes, y, 0"],
            "the labels are swapped: you showed real images with y_fake and fakes with y. x belongs to y, and the "
            "fakes to the labels they were asked for",
        ),
        (
            real + halves["fakes, y, 0"],
            "you showed the fakes with the labels of the real images. D then meets fakes that are wrong for their "
            "label, however good G is: the fakes belong to y_fake",
        ),
        (
            halves["x, y_fake, 1"] + fake,
            "you showed the real images with y_fake: D learns to accept any label. x belongs to y",
        ),
        (halves["x, y, 0"] + halves["fakes, y_fake, 1"], "the targets are swapped: real is 1, fake is 0"),
        (
            real + halves["fakes, y_fake, 1"],
            "the target of the fakes is 1 in your loss: that is G's wish, not D's",
        ),
        (real, "the half with the fakes is missing"),
        (fake, "the half with the real images is missing"),
        ((real + fake) / 2, "you halved the sum: add the two means, as in step 3"),
        (6 * (real + fake), "6 times too large for 6 images: you summed over the images, average instead"),
    )
    for value, diagnosis in mistakes:
        if _close(loss, value):
            raise Wrong(f"{diagnosis}. Your loss is {loss:.3f}, expected is {real + fake:.3f}.")
    raise Wrong(
        f"your loss is {loss:.3f}, expected is {real + fake:.3f}: {real:.3f} for the real pairs, {fake:.3f} for the "
        "fake ones. D returns logits, so each half is F.binary_cross_entropy_with_logits(logits, target)."
    )


def _close(value: float, expected: float) -> bool:
    return abs(value - expected) < 1e-4


class _Scribe(nn.Module):
    """A generator that writes into its image who asked: pixel 0 is the noise, pixel 1 the label, pixel 2 the mode."""

    noise_size, num_classes = 3, CLASSES

    def __init__(self):
        super().__init__()
        self.ink = nn.Parameter(torch.ones(()))

    def forward(self, z, y):
        if z.ndim != 2 or z.shape[1] != self.noise_size or y.shape != (len(z),):
            raise Wrong(
                f"G was given noise of shape {tuple(z.shape)} and labels of shape {tuple(y.shape)}; it takes "
                f"(B, {self.noise_size}) and (B,)."
            )
        if y.dtype != torch.int64:
            raise Wrong(
                f"G was given labels of type {y.dtype}; they are whole numbers, as torch.arange gives them."
            )
        if y.min() < 0 or y.max() >= self.num_classes:
            raise Wrong(
                f"G was given the label {int(y.max())}, but has {self.num_classes} classes here: use G.num_classes."
            )
        image = torch.zeros(len(z), 28 * 28)
        image[:, 0], image[:, 1], image[:, 2] = z[:, 0], y / 10, float(self.training)
        return (self.ink * image).view(-1, 1, 28, 28)


@exercise(
    "ten_labels_one_noise",
    hints=(
        "G takes one noise and one label for each image, so N noises under K labels are N times K rows of both.",
        "z.repeat_interleave(K, dim=0) gives each noise K times in a row; torch.arange(K).repeat(N) counts through the "
        "labels N times. .view(N, K, 28, 28) puts the images into rows.",
        "Two things come before G is called: G.eval(), and with torch.no_grad().",
    ),
    praise="Along a row only the label changes, along a column only the noise.",
)
def check_ten_labels_one_noise(answer) -> None:
    z = torch.tensor([[0.1, 1, 2], [0.4, 3, 4], [0.7, 5, 6]])
    images = call(answer, _Scribe().train(), z.clone())
    if not isinstance(images, torch.Tensor):
        raise Wrong(f"your function returned a {type(images).__name__}; return a tensor (N, K, 28, 28).")
    expected = (len(z), CLASSES, 28, 28)
    if images.shape == (CLASSES, len(z), 28, 28):
        raise Wrong(
            f"your rows are the labels: shape {tuple(images.shape)}, expected {expected}, a row per noise."
        )
    if images.shape != expected:
        raise Wrong(
            f"your images have shape {tuple(images.shape)}, expected {expected}: {len(z)} noises under "
            f"{CLASSES} labels (G.num_classes)."
        )
    noise, labels, mode = (images.detach()[:, :, 0, pixel] for pixel in range(3))
    if not torch.allclose(noise, z[:, :1].expand_as(noise)):
        if len(noise.unique()) > len(z):
            raise Wrong(
                "some images come from a noise that was not in z: use every row of z, and draw no new ones."
            )
        raise Wrong(
            "within a row the noise changes from image to image, so nobody could tell what the label did: "
            "repeat_interleave keeps the copies of one noise together, repeat does not."
        )
    if not torch.allclose(10 * labels, torch.arange(CLASSES).expand_as(labels).float()):
        raise Wrong(
            f"the labels of your first row are {(10 * labels[0]).round().int().tolist()}; count from 0 on."
        )
    if mode.any():
        raise Wrong(
            "you forgot G.eval(): in training mode BatchNorm mixes the images of a batch with each other."
        )
    if images.requires_grad:
        raise Wrong("the images are right, but carry a gradient: call G inside torch.no_grad().")


class _Forgetful(nn.Module):
    """Draws the label as grey level, but the next label where the first noise is large; mixes in training mode."""

    noise_size, num_classes = 4, CLASSES

    def forward(self, z, y):
        drawn = torch.where(z[:, 0] > 0.6, (y + 1) % CLASSES, y)
        if self.training:
            drawn = drawn.roll(len(drawn) // 2)
        return (drawn / 10).view(-1, 1, 1, 1).expand(-1, 1, 28, 28).clone()


def _classify(x: torch.Tensor) -> torch.Tensor:
    return (10 * x[:, 0, 0, 0]).round().long()


@exercise(
    "fidelity_and_control",
    hints=(
        "Draw the images once, in eval mode, and let classify say what they show.",
        "The fidelity compares with y. The control compares the same images with labels in another order: "
        "y[torch.randperm(len(y))].",
        "(guesses == y).float().mean() is a share. Return two of them: fidelity, control.",
    ),
    praise="High fidelity beside a control at chance: the images follow the labels they were asked for.",
)
def check_fidelity_and_control(answer) -> None:
    torch.manual_seed(0)
    z = torch.randn(4000, 4)
    y = torch.randint(CLASSES, (4000,))
    expected = (z[:, 0] <= 0.6).float().mean().item()
    result = call(answer, _Forgetful().train(), _classify, z.clone(), y.clone())
    try:
        fidelity, control = (float(value) for value in result)
    except (TypeError, ValueError):
        raise Wrong(f"your function returned {result!r}; return two shares: fidelity, control.") from None
    if max(fidelity, control) > 1:
        raise Wrong(f"you returned {fidelity:.1f} and {control:.1f}: shares lie between 0 and 1.")
    chance = 1 / CLASSES
    if _near(control, expected) and _near(fidelity, chance):
        raise Wrong("the two are in the wrong order: fidelity first, then the control.")
    if _near(fidelity, chance):
        raise Wrong(
            f"your fidelity is {fidelity:.2f}, as low as chance: G is in training mode, where the images of a batch "
            "depend on each other. Call G.eval() first."
        )
    if not _near(fidelity, expected):
        raise Wrong(
            f"your fidelity is {fidelity:.2f}, expected is {expected:.2f}: the share of images whose class, by "
            "classify, is the label y that they were asked for."
        )
    if _near(control, expected):
        raise Wrong(
            f"your control is {control:.2f}, as high as the fidelity. Shuffle the labels after drawing: a control "
            "compares images with labels that they were not asked for."
        )
    if not _near(control, chance):
        raise Wrong(
            f"your control is {control:.2f}, but chance is {chance:.2f} for {CLASSES} classes: shuffle y with "
            "torch.randperm."
        )


def _near(value: float, expected: float) -> bool:
    return abs(value - expected) < 0.04
