"""Exercises of notebook 10: the logit of the best D, the loss of G, and sampling from a generator with BatchNorm."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal

from course_utils.exercises.registry import Wrong, call, exercise


def _tensor_like(result, expected: torch.Tensor, what: str) -> torch.Tensor:
    if not isinstance(result, torch.Tensor):
        raise Wrong(f"your function returned a {type(result).__name__}; return {what}.")
    if result.shape != expected.shape:
        raise Wrong(f"your result has shape {tuple(result.shape)}, expected {tuple(expected.shape)}: {what}.")
    return result.detach().float()


def _same(result: torch.Tensor, expected: torch.Tensor) -> bool:
    return torch.allclose(result, expected, rtol=1e-4, atol=1e-4)


@exercise(
    "best_logit",
    hints=(
        "The best D is p / (p + q). Which number, put through a sigmoid, gives that?",
        "sigmoid(a) = 1 / (1 + exp(-a)), and p / (p + q) = 1 / (1 + q / p). So exp(-a) is q / p.",
        "The logarithm of a quotient is the difference of two logarithms, and both of them are given.",
    ),
    praise="The best D knows nothing but how many times more probable x is under the data than under G.",
)
def check_best_logit(answer) -> None:
    x = torch.linspace(-3, 3, 13)
    log_p, log_q = Normal(1.0, 0.6).log_prob(x), Normal(-1.0, 1.0).log_prob(x)
    expected = log_p - log_q
    result = _tensor_like(call(answer, log_p.clone(), log_q.clone()), expected, "one logit for each x")
    p, q = log_p.exp(), log_q.exp()
    mistakes = (
        (
            expected.sigmoid(),
            "you returned the probability p / (p + q), which is D(x) itself: its logit goes through a sigmoid later, "
            "and two sigmoids would leave only values between 0.5 and 0.73",
        ),
        (
            -expected,
            "your sign is turned round: where the data are more probable than fakes, the logit is positive",
        ),
        (p / q, "you returned the quotient p / q: its logarithm is the logit"),
        (q / p, "you returned the quotient q / p: the logit is the logarithm of p / q"),
        (log_p / log_q, "you divided the logarithms: the logarithm of a quotient is a difference"),
        (log_p / (log_p + log_q), "you put the logarithms where the densities belong in p / (p + q)"),
        (log_p + log_q, "you added the logarithms, which is the logarithm of a product"),
        (p - q, "you subtracted the densities: subtract their logarithms"),
        (
            expected.sigmoid().log(),
            "you returned log D(x), which is never positive: the logit is log D - log(1 - D)",
        ),
    )
    for wrong, diagnosis in mistakes:
        if _same(result, wrong):
            raise Wrong(f"{diagnosis}.")
    if not _same(result, expected):
        raise Wrong(
            f"at x = {x[6]:.0f} your logit is {result[6]:.2f}, expected is {expected[6]:.2f}: there p is {p[6]:.3f} "
            f"and q is {q[6]:.3f}."
        )
    far = call(answer, torch.tensor([-5.0]), torch.tensor([-200.0]))
    if not torch.isfinite(torch.as_tensor(far)).all():
        raise Wrong(
            "far out your logit is not finite: exp(-200) is 0 in single precision, so stay with logarithms."
        )


@exercise(
    "non_saturating_loss",
    hints=(
        "G wants D to call its fakes real: large logits on fakes are good for G, so the loss falls with them.",
        "-log D(G(z)) is the cross-entropy of the fakes with the label 1, averaged over the batch.",
        "F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits)) takes logits, and has the sigmoid inside.",
    ),
    praise="Where D is sure that an image is fake, this loss pulls hardest, and the saturating one not at all.",
)
def check_non_saturating_loss(answer) -> None:
    logits = torch.tensor([-6.0, -2.5, -1.0, 0.3, 1.5])
    asked = logits.clone().requires_grad_()
    answered = call(answer, asked)
    expected = F.softplus(-logits).mean()
    result = _tensor_like(answered, expected, "one number, the average over the batch")
    p = logits.sigmoid()
    mistakes = (
        (
            -F.softplus(logits).mean(),
            "this is the saturating loss, log(1 - D(G(z))): it goes the right way, but at a logit of -6 its slope is "
            "0.0025, and that of -log D(G(z)) is 0.9975. G would hardly learn from the fakes that need it most",
        ),
        (
            F.softplus(logits).mean(),
            "this is the cross-entropy with the label 0, which D wants for fakes: with it G would help D. The label "
            "for G's step is 1",
        ),
        (-F.softplus(-logits).mean(), "your sign is turned round: the loss must fall when D is deceived"),
        (
            F.softplus(-logits).sum(),
            "you summed over the batch: average, so that the step fits every batch size",
        ),
        (
            F.softplus(-p).mean(),
            "the logits went through a sigmoid twice: the loss with logits has one inside already. So D(G(z)) could "
            "only lie between 0.5 and 0.73, and a fake that D is sure about looks like an undecided one",
        ),
        (-p.sigmoid().log().mean(), "the logits went through a sigmoid twice"),
        (-p.mean(), "this is minus the mean of D(G(z)), without the logarithm: it saturates, too"),
        (-logits.mean(), "this is minus the mean logit: the logarithm of the sigmoid of it is missing"),
        ((p - 1).square().mean(), "this is a squared error between D(G(z)) and 1: use the cross-entropy"),
    )
    for wrong, diagnosis in mistakes:
        if _same(result, wrong):
            raise Wrong(f"{diagnosis}.")
    if not _same(result, expected):
        raise Wrong(
            f"your loss is {result:.3f}, expected is {expected:.3f} for the logits {logits.tolist()}."
        )
    if not answered.requires_grad:
        raise Wrong("the number is right, but no gradient comes through it: G could not learn from it.")
    at_minus_200 = call(answer, torch.tensor([-200.0]))
    if not math.isclose(at_minus_200.item(), 200.0, rel_tol=1e-3):
        raise Wrong(
            f"for a logit of -200 your loss is {at_minus_200.item():.1f}, and should be 200: the sigmoid of it is 0 in "
            "single precision. Use a function that takes logits."
        )


class _TinyGenerator(nn.Module):
    """A generator with BatchNorm, which sees the noise that it is given."""

    def __init__(self):
        super().__init__()
        self.noise_size = 24
        self.layers = nn.Sequential(
            nn.Linear(24, 8),
            nn.BatchNorm1d(8),
            nn.ReLU(),
            nn.Linear(8, 784),
            nn.Sigmoid(),
            nn.Unflatten(1, (1, 28, 28)),
        )
        self.noise: list[torch.Tensor] = []
        self.modes: list[bool] = []

    def forward(self, z):
        if not isinstance(z, torch.Tensor) or z.ndim != 2 or z.shape[1] != self.noise_size:
            shape = tuple(z.shape) if isinstance(z, torch.Tensor) else type(z).__name__
            raise Wrong(
                f"the generator was given {shape}, but takes noise (count, G.noise_size), here (.., 24)."
            )
        self.noise.append(z.detach())
        self.modes.append(self.training)
        return self.layers(z)


@exercise(
    "sample_generator",
    hints=(
        "How many numbers of noise does this generator take? It keeps them as G.noise_size.",
        "Two lines come before the noise: G.eval(), and with torch.no_grad().",
        "torch.randn(count, G.noise_size) draws from the normal distribution that G was trained with.",
    ),
    praise="In eval mode an image depends on its own noise only, so one image alone is as good as one in a crowd.",
)
def check_sample_generator(answer) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        G = _TinyGenerator()
        for _ in range(50):  # statistics as after training
            G(torch.randn(64, 24))
        G.noise.clear()
        G.modes.clear()
        x = call(answer, G.train(), 500)
    if not isinstance(x, torch.Tensor):
        raise Wrong(f"your function returned a {type(x).__name__}; return a tensor (count, 1, 28, 28).")
    if x.shape != (500, 1, 28, 28):
        raise Wrong(f"for a count of 500 you returned shape {tuple(x.shape)}, expected (500, 1, 28, 28).")
    if not G.modes:
        raise Wrong("the generator was never called: the images have to come from G.")
    if any(G.modes):
        raise Wrong(
            "you forgot G.eval(): in training mode BatchNorm uses mean and variance of the noise that happens to stand "
            "beside it, so an image depends on its neighbours, and one image alone is an error."
        )
    z = torch.cat(G.noise)
    if torch.equal(z[0], z[1]):
        raise Wrong("all your noise is the same, so all images are the same: draw a row for each image.")
    if z.min() >= 0 or abs(z.mean()) > 0.1:
        raise Wrong(
            f"your noise has a mean of {z.mean():.2f} and a minimum of {z.min():.2f}: torch.rand is uniform on [0, 1], "
            "but G was trained with torch.randn."
        )
    if abs(z.std() - 1) > 0.1:
        raise Wrong(f"your noise has a standard deviation of {z.std():.2f}; G was trained with 1.")
    with torch.no_grad():
        if not torch.allclose(x.detach(), G.layers(z), atol=1e-5):
            raise Wrong("your images differ from G(z): return them unchanged, with pixels in [0, 1].")
    if x.requires_grad:
        raise Wrong("the images are right, but carry a gradient: call G inside torch.no_grad().")
