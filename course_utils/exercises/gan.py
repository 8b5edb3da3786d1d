"""Exercises of notebook 10: the logit of the best D, its loss on two bars, and a training loop to mend."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal

from course_utils.exercises.compare import Number, Several, Tensor
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


# --- the loss of the best discriminator on two bars ---


def loss_on_two_bars(shift):
    return 2 * math.log(2) * max(0, 1 - shift)


exercise(
    "loss_on_two_bars",
    objective="derive the loss of the best discriminator, and see where it has no slope",
    level=2,
    points=2,
    given=lambda: [(shift,) for shift in (0.0, 0.25, 0.5, 1.0, 3.0)],
    together=True,
    solution=loss_on_two_bars,
    also_right=(lambda shift: torch.tensor(2 * math.log(2) * (1 - shift)).clamp(min=0),),
    compare=Number("the loss of the best D, one number"),
    describe=lambda shift: f"for a shift of {shift:g}",
    otherwise="D pays only where both densities are positive, on a part of length 1 - s.",
    mistakes=(
        (
            lambda shift: 2 * math.log(2) * (1 - shift),
            "right while the bars overlap; beyond a shift of 1 your loss is negative, but no cross-entropy is",
        ),
        (
            lambda shift: math.log(2) * max(0, 1 - shift),
            "half of what D pays: on the overlap it pays log 2 for the real ones and log 2 for the fakes",
        ),
        (
            lambda shift: -loss_on_two_bars(shift),
            "you returned V, which D maximises: its loss is -V",
        ),
        (
            lambda shift: math.log(2) * min(1, shift),
            "you returned the JSD: the loss is 2 log 2 - 2 JSD",
        ),
        (
            lambda shift: 2 * math.log(2) * min(1, shift),
            "you returned 2 JSD: the loss is 2 log 2 - 2 JSD",
        ),
        (
            lambda shift: 2 * max(0, 1 - shift),
            "you took the logarithm to the base 2: the cross-entropy of PyTorch has the natural one",
        ),
        (
            lambda shift: 2 * math.log(2),
            "that is the loss for equal densities: where only one of them is positive, D pays nothing",
        ),
    ),
    told=((lambda shift: 0.5, "on a part of length 1 - s"),),
    hints=(
        "On [0, s) there are only data, on (1, s + 1] only fakes. What does the best D say and pay there?",
        "On the overlap p = q = 1, so D = 1/2: an integral of log 2 for the real ones, and one for the fakes.",
        "The overlap has the length 1 - s up to s = 1, and 0 beyond.",
    ),
    praise="Beyond a shift of 1 the loss is 0 whatever the shift: the divergence has no slope that could lead G back.",
)


# --- a loop with two mistakes ---


def discriminator_loss(real_logits, fake_logits):
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def generator_loss(fake_logits):
    return F.softplus(-fake_logits).mean()


def small_players():
    G = nn.Linear(3, 2)
    layers = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0))
    D = Spy("D", layers, {"x": ("B", 2)})
    optimizers = [torch.optim.SGD(player.parameters(), lr=0.5) for player in (G, D)]
    return [(G, D, *optimizers, [(torch.randn(8, 2) + 2, torch.randn(8, 3)) for _ in range(4)])]


def loop(detach=True, zero_d=True, zero_g=True, of_g=generator_loss, swapped=False, both_at_once=False):
    def answer(G, D, optimizer_g, optimizer_d, batches):
        losses = []
        for x, z in batches:
            fake = G(z)
            for_d = fake.detach() if detach else fake
            loss_d = discriminator_loss(D(for_d), D(x)) if swapped else discriminator_loss(D(x), D(for_d))
            if zero_d:
                optimizer_d.zero_grad()
            loss_d.backward(retain_graph=not detach)
            if not both_at_once:
                optimizer_d.step()
            loss_g = of_g(D(fake))
            if zero_g:
                optimizer_g.zero_grad()
            loss_g.backward()
            optimizer_g.step()
            if both_at_once:
                optimizer_d.step()
            losses.append(loss_d.item())
        return losses

    return answer


def with_new_fakes(G, D, optimizer_g, optimizer_d, batches):
    losses = []
    for x, z in batches:
        with torch.no_grad():
            fake = G(z)
        losses.append(discriminator_loss(D(x), D(fake)))
        optimizer_d.zero_grad()
        losses[-1].backward()
        optimizer_d.step()
        optimizer_g.zero_grad()
        generator_loss(D(G(z))).backward()
        optimizer_g.step()
    return losses


exercise(
    "losses_of_d",
    objective="find in a GAN's training loop the gradients that reach the wrong player, and mend it",
    level=2,
    points=3,
    given=small_players,
    solution=loop(),
    also_right=(with_new_fakes,),
    compare=Several("the losses of D, one for each pair", (Number("one loss of D, a number"),) * 4),
    describe=lambda *given: "for two small players and four pairs",
    otherwise="Each update is D's step on x and detached fakes, then G's step; return D's loss of each.",
    mistakes=(
        (
            loop(detach=False, zero_g=False),
            "G still follows the sum of its own gradient and of what D's loss left in it: detach the fakes, and call "
            "optimizer_g.zero_grad() before G's backward()",
        ),
        (
            loop(zero_g=False),
            "G's gradients pile up from update to update: call optimizer_g.zero_grad() before its backward()",
        ),
        (
            loop(zero_d=False),
            "D's gradients pile up, and G's backward() adds to them, too: call optimizer_d.zero_grad() before D's "
            "backward()",
        ),
        (
            loop(detach=False, zero_d=False, zero_g=False),
            "no gradient is ever cleared, and D's loss reaches G: each backward() needs its zero_grad() before it, and "
            "D's step detached fakes",
        ),
        (
            loop(both_at_once=True),
            "D's gradients are mixed with those of G's loss, because optimizer_d steps after G's backward(): let D "
            "step first",
        ),
        (
            loop(of_g=lambda logits: -F.softplus(logits).mean()),
            "you trained G with the saturating loss: take generator_loss",
        ),
        (
            loop(of_g=lambda logits: F.softplus(logits).mean()),
            "your G learns to be detected: its loss has the label 1 for its fakes",
        ),
        (
            loop(swapped=True),
            "you swapped real and fake in D's loss: the logits of the real ones come first",
        ),
        (
            loop(detach=False),
            "the losses are right, but D's loss also computes a gradient for G, which optimizer_g.zero_grad() throws "
            "away: give D fake.detach() in its own step",
            # In G's own step, one in each of the four updates, the fakes are not detached.
            lambda call: call.right and sum(x.requires_grad for (x,) in call.arguments[1].calls) > 4,
        ),
    ),
    told=(
        (lambda *given: loop()(*given)[:1], "return 4 things: the losses of D"),
        (lambda *given: [2 * loss for loss in loop()(*given)], "D's step on x and detached fakes"),
    ),
    hints=(
        "Whose parameters receive a gradient in each backward()? One of them should stop at the fakes.",
        "D(fake.detach()) keeps D's loss away from G; then retain_graph is not needed any more.",
        "Each player clears its gradients directly before its own backward(): two zero_grad() in each update.",
    ),
    praise="D learns on fakes that are cut off, and G through D on fakes that are not: that is all of a GAN's loop.",
)
