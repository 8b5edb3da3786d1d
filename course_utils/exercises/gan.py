"""Exercises of notebook 10: the logit of the best D, the loss of G, and sampling from a generator with BatchNorm."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal

from course_utils.exercises.compare import Tensor
from course_utils.exercises.engine import exercise
from course_utils.exercises.spies import Spy

# --- the logit of the best discriminator ---


def density_cases():
    x = torch.linspace(-3, 3, 13)
    # The second case lies far out, where exp(-200) is 0 in single precision.
    return [
        (Normal(1.0, 0.6).log_prob(x), Normal(-1.0, 1.0).log_prob(x)),
        (torch.tensor([-5.0]), torch.tensor([-200.0])),
    ]


exercise(
    "best_logit",
    objective="derive the logit of the best discriminator from two densities",
    level=1,
    points=2,
    given=density_cases,
    solution=lambda log_p, log_q: log_p - log_q,
    compare=Tensor("one logit for each x"),
    mistakes=(
        (
            lambda log_p, log_q: (log_p.exp() / log_q.exp()).log(),
            "far out your logit is not finite: exp(-200) is 0 in single precision, so stay with logarithms",
            lambda call: call.case == 1 and not torch.isfinite(call.result).all(),
        ),
        (
            lambda log_p, log_q: (log_p - log_q).sigmoid(),
            "you returned the probability p / (p + q), which is D(x) itself: its logit goes through a sigmoid later, "
            "and two sigmoids would leave only values between 0.5 and 0.73",
        ),
        (
            lambda log_p, log_q: log_p.exp() / (log_p.exp() + log_q.exp()),
            "you returned the probability p / (p + q), which is D(x) itself: its logit goes through a sigmoid later, "
            "and two sigmoids would leave only values between 0.5 and 0.73",
        ),
        (
            lambda log_p, log_q: log_q - log_p,
            "your sign is reversed: where the data are more probable than fakes, the logit is positive",
        ),
        (
            lambda log_p, log_q: (log_p - log_q).exp(),
            "you returned the quotient p / q: its logarithm is the logit",
        ),
        (
            lambda log_p, log_q: (log_q - log_p).exp(),
            "you returned the quotient q / p: the logit is the logarithm of p / q",
        ),
        (
            lambda log_p, log_q: log_p / log_q,
            "you divided the logarithms: the logarithm of a quotient is a difference",
        ),
        (
            lambda log_p, log_q: log_p / (log_p + log_q),
            "you put the logarithms where the densities belong in p / (p + q)",
        ),
        (
            lambda log_p, log_q: log_p + log_q,
            "you added the logarithms, which is the logarithm of a product",
        ),
        (
            lambda log_p, log_q: log_p.exp() - log_q.exp(),
            "you subtracted the densities: subtract their logarithms",
        ),
        (
            lambda log_p, log_q: F.logsigmoid(log_p - log_q),
            "you returned log D(x), which is never positive: the logit is log D - log(1 - D)",
        ),
    ),
    told=(
        (lambda log_p, log_q: 2 * (log_p - log_q), "but at ["),
        (lambda log_p, log_q: (log_p - log_q).mean(), "has shape (), right is (13,)"),
        (lambda log_p, log_q: 0.5, "returned a float; return one logit for each x"),
    ),
    hints=(
        "The best D is p / (p + q). Which number, put through a sigmoid, gives that?",
        "sigmoid(a) = 1 / (1 + exp(-a)), and p / (p + q) = 1 / (1 + q / p). So exp(-a) is q / p.",
        "The logarithm of a quotient is the difference of two logarithms, and both of them are given.",
    ),
    praise="The best D knows nothing but how many times more probable x is under the data than under G.",
)


# --- the loss of the generator ---


def non_saturating(logits):
    return F.softplus(-logits).mean()


exercise(
    "non_saturating_loss",
    objective="write the generator's loss so that it learns most where the discriminator is sure",
    level=1,
    points=2,
    # The second logit is one whose sigmoid is 0 in single precision.
    given=lambda: [
        (torch.tensor([-6.0, -2.5, -1.0, 0.3, 1.5], requires_grad=True),),
        (torch.tensor([-200.0], requires_grad=True),),
    ],
    solution=non_saturating,
    also_right=(lambda a: F.binary_cross_entropy_with_logits(a, torch.ones_like(a)),),
    compare=Tensor("one number, the average over the batch", gradient=True),
    describe=lambda logits: f"for the logits {logits.tolist()}",
    mistakes=(
        (
            lambda a: -a.sigmoid().log().mean(),
            "for a logit of -200 your loss is not 200: the sigmoid of it is 0 in single precision. Use a function that "
            "takes logits",
            lambda call: call.case == 1 and not call.right,
        ),
        (
            lambda a: -F.softplus(a).mean(),
            "this is the saturating loss, log(1 - D(G(z))): it goes the right way, but at a logit of -6 its slope is "
            "0.0025, and that of -log D(G(z)) is 0.9975. G would hardly learn from the fakes that need it most",
        ),
        (
            lambda a: F.softplus(a).mean(),
            "this is the cross-entropy with the label 0, which D wants for fakes: with it G would help D. The label "
            "for G's step is 1",
        ),
        (
            lambda a: F.logsigmoid(a).mean(),
            "your sign is reversed: the loss must fall when D is deceived",
        ),
        (
            lambda a: F.softplus(-a).sum(),
            "you summed over the batch: average, so that the step fits every batch size",
        ),
        (
            lambda a: non_saturating(a.sigmoid()),
            "the logits went through a sigmoid twice: the loss with logits has one inside already. So D(G(z)) could "
            "only lie between 0.5 and 0.73, and a fake that D is sure about looks like an undecided one",
        ),
        (
            lambda a: -a.sigmoid().sigmoid().log().mean(),
            "the logits went through a sigmoid twice: the loss with logits has one inside already. So D(G(z)) could "
            "only lie between 0.5 and 0.73, and a fake that D is sure about looks like an undecided one",
        ),
        (
            lambda a: -a.sigmoid().mean(),
            "this is minus the mean of D(G(z)), without the logarithm: it saturates, too",
        ),
        (
            lambda a: -a.mean(),
            "this is minus the mean logit: the logarithm of the sigmoid of it is missing",
        ),
        (
            lambda a: (a.sigmoid() - 1).square().mean(),
            "this is a squared error between D(G(z)) and 1: use the cross-entropy",
        ),
    ),
    told=(
        (lambda a: non_saturating(a.detach()), "carries no gradient"),
        (lambda a: F.softplus(-a), "has shape (5,), right is ()"),
        (lambda a: non_saturating(a).item(), "returned a float; return one number"),
        (lambda a: non_saturating(2 * a), "For the logits ["),
    ),
    hints=(
        "G wants D to call its fakes real: large logits on fakes are good for G, so the loss falls with them.",
        "-log D(G(z)) is the cross-entropy of the fakes with the label 1, averaged over the batch.",
        "F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits)) takes logits, and has the sigmoid inside.",
    ),
    praise="Where D is sure that an image is fake, this loss pulls hardest, and the saturating one not at all.",
)


# --- sampling ---


def generator_cases():
    """A generator with BatchNorm, in training mode, whose statistics are those after training."""
    layers = nn.Sequential(
        nn.Linear(24, 8),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Linear(8, 784),
        nn.Sigmoid(),
        nn.Unflatten(1, (1, 28, 28)),
    )
    for _ in range(50):
        layers(torch.randn(64, 24))
    G = Spy("G", layers, {"z": ("count", 24)})
    G.noise_size = 24
    return [(G, 500)]


def noise_of(call):
    return torch.cat([z for (z,) in call.arguments[0].calls])


@torch.no_grad()
def sample(G, count, draw=torch.randn, eval_first=True):
    return G.train(not eval_first)(draw(count, G.noise_size))


exercise(
    "sample_generator",
    objective="draw samples from a generator with BatchNorm, in eval mode and without gradients",
    level=2,
    points=2,
    given=generator_cases,
    solution=sample,
    also_right=(lambda G, n: sample(G, n).double(),),
    compare=Tensor("a tensor (count, 1, 28, 28)", gradient=False),
    expected=lambda call: call.arguments[0].eval().function(noise_of(call)),
    mistakes=(
        (
            lambda G, n: torch.rand(n, 1, 28, 28),
            "the generator was never called: the images have to come from G",
            lambda call: not call.arguments[0].calls,
        ),
        (
            lambda G, n: sample(G, n, eval_first=False),
            "you forgot G.eval(): in training mode BatchNorm uses mean and variance of the noise that happens to stand "
            "beside it, so an image depends on its neighbours, and a single image raises an error",
            lambda call: any(call.arguments[0].modes),
        ),
        (
            lambda G, n: sample(G, n, draw=lambda count, size: torch.randn(1, size).expand(count, -1)),
            "all your noise is the same, so all images are the same: draw a row for each image",
            lambda call: len(noise_of(call)) > 1 and torch.equal(*noise_of(call)[:2]),
        ),
        (
            lambda G, n: sample(G, n, draw=torch.rand),
            "your noise is never negative: torch.rand is uniform on [0, 1], but G was trained with torch.randn",
            lambda call: noise_of(call).min() >= 0,
        ),
        (
            lambda G, n: sample(G, n, draw=lambda *shape: 3 * torch.randn(*shape)),
            lambda call: (
                f"your noise has a mean of {noise_of(call).mean():.2f} and a standard deviation of "
                f"{noise_of(call).std():.2f}; G was trained with 0 and 1"
            ),
            # 12,000 numbers, fewer if some are left out: the errors of mean and deviation are 1 %.
            lambda call: abs(noise_of(call).std() - 1) > 0.1 or abs(noise_of(call).mean()) > 0.1,
        ),
    ),
    told=(
        (lambda G, n: G.eval()(torch.randn(n, 24)), "carries a gradient"),
        (lambda G, n: sample(G, n, lambda count, size: torch.randn(count, 32)), "has the shape (500, 32)"),
        (lambda G, n: sample(G, n, lambda count, size: torch.randn(count, 24, 1, 1)), "(500, 24, 1, 1)"),
        (lambda G, n: sample(G, n, lambda count, size: count), "your z is of type int"),
        (lambda G, n: sample(G, n)[:1], "has shape (1, 1, 28, 28), right is (500, 1, 28, 28)"),
        (lambda G, n: 2 * sample(G, n) - 1, "but at ["),
        (lambda G, n: sample(G, n).numpy(), "returned a ndarray"),
    ),
    hints=(
        "How many numbers of noise does this generator take? It keeps them as G.noise_size.",
        "Two lines come before the noise: G.eval(), and with torch.no_grad().",
        "torch.randn(count, G.noise_size) draws from the normal distribution that G was trained with.",
    ),
    praise="In eval mode an image depends on its own noise only, so one image alone is as good as one in a crowd.",
)
