"""Exercises of notebook 11: a conditional discriminator's loss, one noise under all labels, a test of the condition."""

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.exercises.compare import Number, Several, Tensor
from course_utils.exercises.engine import exercise
from course_utils.exercises.spies import Spy

CLASSES = 7  # not 10, so that a ten in the reader's code is noticed
LABELS = {"y": CLASSES}

# --- the loss of the discriminator ---


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


class PairScore(nn.Module):
    """A discriminator whose logit is another one for every pair of image and label."""

    def __init__(self):
        super().__init__()
        self.of_images = nn.Parameter(torch.linspace(-2, 2, 784))
        self.of_labels = nn.Parameter(torch.linspace(-1.5, 1.5, CLASSES))

    def forward(self, x, y):
        return x.flatten(1) @ self.of_images / 30 + self.of_labels[y]


def pair_cases():
    D = Spy("D", PairScore(), {"x": ("B", 1, 28, 28), "y": ("B",)}, LABELS)
    y, y_fake = torch.tensor([0, 1, 2, 3, 4, 5]), torch.tensor([6, 6, 1, 0, 2, 2])
    # Fakes depend on G, so that a gradient that reaches G is seen.
    of_G = torch.full((6, 1, 28, 28), 0.6, requires_grad=True)
    return [(D, torch.rand(6, 1, 28, 28), y, of_G * torch.rand(6, 1, 28, 28), y_fake)]


def loss_of(D, x, y, fakes, y_fake, *, real=1, fake=0):
    return bce(D(x, y), real) + bce(D(fakes.detach(), y_fake), fake)


def in_one_pass(D, x, y, fakes, y_fake):
    logits = D(torch.cat([x, fakes.detach()]), torch.cat([y, y_fake]))
    return F.softplus(-logits[: len(x)]).mean() + F.softplus(logits[len(x) :]).mean()


def reaches(call, name):
    """Whether a gradient of the loss reaches D's parameters, or G by the fakes."""
    D, _, _, fakes, _ = call.arguments
    target = D.function.of_images if name == "D" else fakes
    return torch.autograd.grad(call.result, target, retain_graph=True, allow_unused=True)[0] is not None


exercise(
    "conditional_discriminator_loss",
    objective="write step 3 of the conditional GAN: the loss of a discriminator that judges pairs",
    level=2,
    points=3,
    given=pair_cases,
    solution=loss_of,
    also_right=(in_one_pass,),
    compare=Number("one number, the sum of two averages", gradient=True),
    otherwise="D returns logits, so each half is F.binary_cross_entropy_with_logits(logits, target), for real pairs "
    "with the target 1, for fake pairs with 0.",
    mistakes=(
        (
            lambda D, x, y, fakes, y_fake: bce(D(x, y), 1) + bce(D(fakes, y_fake), 0),
            "the value is right, but its gradient reaches G, which would learn to help D: call D with fakes.detach()",
            lambda call: call.right and call.result.requires_grad and reaches(call, "G"),
        ),
        (
            lambda D, x, y, fakes, y_fake: (
                loss_of(D, x, y, fakes, y_fake).detach() + 0 * fakes.detach().requires_grad_().sum()
            ),
            "the value is right, but no gradient reaches D: detach the fakes, not the logits",
            lambda call: call.right and call.result.requires_grad and not reaches(call, "D"),
        ),
        (
            lambda D, x, y, fakes, y_fake: loss_of(D, x, y_fake, fakes, y),
            "the labels are swapped: you showed real images with y_fake and fakes with y. x belongs to y, and the "
            "fakes to the labels they were asked for",
        ),
        (
            lambda D, x, y, fakes, y_fake: loss_of(D, x, y, fakes, y),
            "you showed the fakes with the labels of the real images. D then meets fakes that are wrong for their "
            "label, however good G is: the fakes belong to y_fake",
        ),
        (
            lambda D, x, y, fakes, y_fake: loss_of(D, x, y_fake, fakes, y_fake),
            "you showed the real images with y_fake: D learns to accept any label. x belongs to y",
        ),
        (lambda *pairs: loss_of(*pairs, real=0, fake=1), "the targets are swapped: real is 1, fake is 0"),
        (
            lambda *pairs: loss_of(*pairs, fake=1),
            "the target of the fakes is 1 in your loss: that is G's wish, not D's",
        ),
        (lambda D, x, y, fakes, y_fake: bce(D(x, y), 1), "the half with the fakes is missing"),
        (
            lambda D, x, y, fakes, y_fake: bce(D(fakes.detach(), y_fake), 0),
            "the half with the real images is missing",
        ),
        (lambda *pairs: loss_of(*pairs) / 2, "you halved the sum: add the two averages, as in step 3"),
        (
            lambda *pairs: 6 * loss_of(*pairs),
            "6 times too large for 6 images: you summed over the images, average instead",
        ),
    ),
    told=(
        (lambda *pairs: loss_of(*pairs).detach(), "carries no gradient"),
        (lambda *pairs: loss_of(*pairs).item(), "as a tensor, so that it has gradients"),
        (lambda D, x, y, f, y_f: F.softplus(-D(x, y)) + F.softplus(D(f, y_f)), "a tensor of shape (6,)"),
        (
            lambda D, x, y, f, y_f: bce(D(x, y.float()), 1),
            "takes labels of type int64 as y; yours are float32",
        ),
        (lambda D, x, y, f, y_f: bce(D(x, y).sigmoid(), 1) + bce(D(f, y_f).sigmoid(), 0), "D returns logits"),
    ),
    hints=(
        "D judges pairs. Which label belongs to a real image, and which one to a fake?",
        "Real pairs (x, y) have the target 1, fake pairs (fakes, y_fake) the target 0. Each half is a mean over its "
        "images; add the two.",
        "No gradient may reach G from here: D(fakes.detach(), y_fake).",
    ),
    praise="Every image meets its own label, both halves count, and G is left alone.",
)


# --- one noise under all labels ---


def who_asked(z, y):
    """An image whose pixel 0 is the noise, and pixel 1 the label: (B, 1, 28, 28)."""
    image = torch.zeros(len(z), 28 * 28)
    image[:, 0], image[:, 1] = z[:, 0], y / 10
    return image.view(-1, 1, 28, 28)


def generator_of(draw, noise_size):
    G = Spy("G", draw, {"z": ("B", noise_size), "y": ("B",)}, LABELS)
    G.noise_size, G.num_classes = noise_size, CLASSES
    return G


def scribe_cases():
    ink = nn.Parameter(torch.ones(()))
    z = torch.tensor([[0.1, 1, 2], [0.4, 3, 4], [0.7, 5, 6]])
    return [(generator_of(lambda z, y: ink * who_asked(z, y), 3), z)]


def ten_labels(G, z, rows=None, labels=None, train=False):
    """Each noise under all labels, (N, K, 28, 28); `rows`, `labels`, `train`: with a mistake."""
    K = G.num_classes
    y = torch.arange(K).repeat(len(z)) if labels is None else labels(K, len(z))
    with torch.no_grad():
        x = G.train(train)(z.repeat_interleave(K, dim=0) if rows is None else rows(z), y)
    return x.view(len(z), K, 28, 28)


def noise_in(call):
    return call.result[:, :, 0, 0].float()


exercise(
    "ten_labels_one_noise",
    objective="show what the label does alone, by drawing the same noise under all labels",
    level=2,
    points=3,
    given=scribe_cases,
    solution=ten_labels,
    also_right=(lambda G, z: ten_labels(G, z.double()),),
    compare=Tensor("a tensor (N, K, 28, 28)", gradient=False),
    mistakes=(
        (
            lambda G, z: ten_labels(G, z, train=True),
            "you forgot G.eval(): in training mode BatchNorm mixes the images of a batch with each other",
            lambda call: any(call.arguments[0].modes),
        ),
        (
            lambda G, z: ten_labels(G, z).transpose(0, 1),
            "your rows are the labels, and your columns the noises: return a row for each noise",
            lambda call: call.result.shape == (CLASSES, 3, 28, 28),
        ),
        (
            lambda G, z: ten_labels(G, z, rows=lambda z: torch.randn(21, 3)),
            "some images come from a noise that was not in z: use every row of z, and draw no new ones",
            lambda call: call.result.shape == (3, CLASSES, 28, 28) and len(noise_in(call).unique()) > 3,
        ),
        (
            lambda G, z: ten_labels(G, z, rows=lambda z: z.repeat(7, 1)),
            "within a row the noise changes from image to image, so nobody could tell what the label did: "
            "repeat_interleave keeps the copies of one noise together, repeat does not",
            lambda call: (
                call.result.shape == (3, CLASSES, 28, 28)
                and not torch.equal(noise_in(call), noise_in(call)[:, :1].expand(-1, CLASSES))
            ),
        ),
        (
            lambda G, z: ten_labels(G, z, labels=lambda K, n: torch.zeros(K * n, dtype=torch.int64)),
            lambda call: (
                f"the labels of your first row are {(10 * call.result[0, :, 0, 1]).round().int().tolist()}; count "
                "from 0 on"
            ),
            lambda call: not call.right and call.result.shape == (3, CLASSES, 28, 28),
        ),
    ),
    told=(
        (
            lambda G, z: ten_labels(G, z, labels=lambda K, n: torch.arange(10)[torch.arange(K * n) % 10]),
            "G knows the labels 0 to 6; you gave it 0 to 9",
        ),
        (
            lambda G, z: ten_labels(G, z, labels=lambda K, n: torch.arange(K).repeat(n).float()),
            "takes labels of type int64 as y; yours are float32",
        ),
        (lambda G, z: ten_labels(G, z, labels=lambda K, n: torch.arange(K)), "your y has the shape (7,)"),
        (lambda G, z: ten_labels(G, z).flatten(0, 1), "(21, 28, 28), right is (3, 7, 28, 28)"),
        (lambda G, z: ten_labels(G, z).numpy(), "return a tensor (N, K, 28, 28)"),
        (
            lambda G, z: G.eval()(z.repeat_interleave(7, 0), torch.arange(7).repeat(3)).view(3, 7, 28, 28),
            "carries a gradient",
        ),
    ),
    hints=(
        "G takes one noise and one label for each image, so N noises under K labels are N times K rows of both.",
        "z.repeat_interleave(K, dim=0) gives each noise K times in a row; torch.arange(K).repeat(N) counts through the "
        "labels N times. .view(N, K, 28, 28) puts the images into rows.",
        "Two things come before G is called: G.eval(), and with torch.no_grad().",
    ),
    praise="Along a row only the label changes, along a column only the noise.",
)


# --- a test of the condition ---


def read(x):
    """The class that an image of `forgetful_cases` shows."""
    return (10 * x[:, 0, 0, 1]).round().long()


def forgetful_cases():
    """A generator that draws the next class where the first noise is large."""
    G = generator_of(lambda z, y: who_asked(z, torch.where(z[:, 0] > 0.6, (y + 1) % CLASSES, y)), 4)
    classify = Spy("classify", read, {"x": ("N", 1, 28, 28)})
    return [(G, classify, torch.randn(4000, 4), torch.randint(CLASSES, (4000,)))]


def two_shares(G, classify, z, y, *, train=False):
    with torch.no_grad():
        guesses = classify(G.train(train)(z, y))
    shuffled = y[torch.randperm(len(y))]
    return (guesses == y).float().mean(), (guesses == shuffled).float().mean()


def for_shuffled_labels(G, classify, z, y):
    """The labels are shuffled before drawing, so that the control obeys them as well."""
    shuffled = y[torch.randperm(len(y))]
    second = classify(G.eval()(z, shuffled))
    return two_shares(G, classify, z, y)[0], (second == shuffled).float().mean()


def is_near(value, expected):
    # 4,000 images: the standard error of a share is below 0.8 %, and 4 % is five times that.
    return abs(float(value) - float(expected)) < 0.04


def fidelity_in(call):
    return (call.arguments[2][:, 0] <= 0.6).float().mean()


exercise(
    "fidelity_and_control",
    objective="measure whether a conditional generator obeys its label, with a control",
    level=2,
    points=3,
    given=forgetful_cases,
    solution=two_shares,
    also_right=(lambda *all_: [share.item() for share in two_shares(*all_)],),
    compare=Several("two shares, fidelity and control", (Number("a share"), Number("a share", atol=0.04))),
    expected=lambda call: (fidelity_in(call), 1 / CLASSES),
    otherwise="The fidelity is the share of images whose class, by classify, is the label y that they were asked for; "
    "for the control, shuffle y with torch.randperm.",
    mistakes=(
        (
            lambda *all_: two_shares(*all_, train=True),
            "G is in training mode, where the images of a batch depend on each other: call G.eval() first",
            lambda call: any(call.arguments[0].modes),
        ),
        (
            lambda *all_: [100 * share for share in two_shares(*all_)],
            "these are no shares: they lie between 0 and 1",
            lambda call: max(call.result) > 1,
        ),
        (
            lambda *all_: two_shares(*all_)[::-1],
            "the two are in the wrong order: fidelity first, then the control",
            lambda call: is_near(call.result[0], 1 / CLASSES) and is_near(call.result[1], fidelity_in(call)),
        ),
        (
            for_shuffled_labels,
            "your control is as high as the fidelity. Shuffle the labels after drawing: a control compares images with "
            "labels that they were not asked for",
            lambda call: is_near(call.result[1], fidelity_in(call)),
        ),
    ),
    told=(
        (lambda *all_: two_shares(*all_)[0], "return 2 things: two shares"),
        (lambda *all_: (1 - two_shares(*all_)[0], two_shares(*all_)[1]), "the share of images whose class"),
        (lambda *all_: (1.05 * two_shares(*all_)[0], two_shares(*all_)[1]), "number 1 is not right"),
        (lambda *all_: (two_shares(*all_)[0], 0.5), "number 2 is not right"),
    ),
    hints=(
        "Draw the images once, in eval mode, and let classify say what they show.",
        "The fidelity compares with y. The control compares the same images with labels in another order: "
        "y[torch.randperm(len(y))].",
        "(guesses == y).float().mean() is a share. Return two of them: fidelity, control.",
    ),
    praise="High fidelity beside a control at chance: the images follow the labels they were asked for.",
)
