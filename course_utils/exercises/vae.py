"""Exercises of notebook 08: minus the ELBO of a batch, the best prior, counting the latents in use, free bits."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence

from course_utils.exercises.compare import Number
from course_utils.exercises.engine import Mistake, exercise
from course_utils.exercises.sampling import draw, sampling_mistakes
from course_utils.exercises.spies import Spy

IMAGES, LATENTS = 1000, 5

# --- minus the ELBO of a batch ---


class SmallVAE(nn.Module):
    """A linear VAE whose encoder and decoder are spies."""

    latent_size = LATENTS

    def __init__(self):
        super().__init__()
        self.to_mu = nn.Parameter(0.05 * torch.randn(784, LATENTS))
        # Far from 0 on both sides, so that variance and standard deviation cannot be mixed up unseen.
        self.log_var = nn.Parameter(torch.tensor([-3.0, -1.5, 1.0, -2.0, 1.5]))
        self.to_logits = nn.Parameter(0.4 * torch.randn(LATENTS, 784))
        self.encode = Spy("model.encode", self.q_of, {"x": (IMAGES, 1, 28, 28)})
        self.decode = Spy("model.decode", self.logits_of, {"z": (IMAGES, LATENTS)})

    def q_of(self, x):
        return x.flatten(1) @ self.to_mu, self.log_var.expand(len(x), -1)

    def logits_of(self, z):
        return (z @ self.to_logits - 1).unflatten(1, (1, 28, 28))


def kl_of(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var)


def sum_of_both(bce, kl):
    return (bce.sum(1) + kl.sum(1)).mean()


def loss(model, grey, binarise=torch.bernoulli, draw=draw, to=None, of=None, kl=kl_of, total=sum_of_both):
    """Minus the ELBO. Each part may hold a mistake: `to` makes the target of grey, `of` changes the logits."""
    x = binarise(grey)
    mu, log_var = model.encode(x)
    logits = model.decode(draw(mu, log_var))
    bce = F.binary_cross_entropy_with_logits(
        of(logits) if of else logits, to(grey) if to else x, reduction="none"
    )
    return total(bce.flatten(1), kl(mu, log_var))


def wrong(**part):
    return lambda model, grey: loss(model, grey, **part)


def drawn(call):
    model, _ = call.arguments
    _, (mu, log_var) = model.encode.last
    (z,), _ = model.decode.last
    return z, mu, log_var


def replay(call, **part):
    """The loss of the x, mu, log_var and logits that came up when the answer ran."""
    model, grey = call.arguments
    (x,), q = model.encode.last
    _, logits = model.decode.last
    recorded = SimpleNamespace(encode=lambda x: q, decode=lambda z: logits)
    return loss(recorded, grey, binarise=lambda grey: x, draw=lambda mu, log_var: None, **part)


def mistake(sentence, **part):
    """A mistake in what is made of mu, log_var and the logits."""
    return Mistake(wrong(**part), sentence, gives=lambda call: replay(call, **part))


def of_binarisation(binarise, sentence, told_if):
    return Mistake(wrong(binarise=binarise), sentence, lambda call: told_if(*binarised(call)))


def binarised(call):
    model, grey = call.arguments
    (x,), _ = model.encode.last
    return x, grey


def in_shares(call):
    x, grey = binarised(call)
    return (
        f"your x has {x.mean():.2f} of its pixels inked, grey has {grey.mean():.2f} on average: a pixel must become 1 "
        "with a probability of its grey value, torch.bernoulli(grey)"
    )


def is_unlike(x, grey):
    # The standard errors of both averages are below 0.0004.
    return (x - grey).mean().abs() > 0.002 or ((x - grey) * grey).mean().abs() > 0.002


def is_near_grey_target(call):
    """Whether the result is within five standard errors of what a second binarisation gives on average."""
    model, grey = call.arguments
    _, logits = model.decode.last
    error = (logits.square() * grey * (1 - grey)).sum().sqrt() / len(grey)
    return not call.right and abs(call.result - replay(call, to=lambda grey: grey)) < 5 * error


def gradient_mistake(sentence, *answers, **part):
    """A right number whose gradient is that of the loss with this part in it."""

    def is_told(call):
        if not call.right or not call.result.requires_grad:
            return False
        _, (mu, log_var) = call.arguments[0].encode.last
        _, logits = call.arguments[0].decode.last
        inputs = [one for one in (mu, log_var, logits) if one.requires_grad]
        results = call.result, replay(call, **part)
        if not results[1].requires_grad:
            return False
        slopes, those_of_part = (
            torch.autograd.grad(result, inputs, retain_graph=True, materialize_grads=True)
            for result in results
        )
        return all((a - b).norm() <= 1e-3 * b.norm() for a, b in zip(slopes, those_of_part))

    return tuple(Mistake(answer, sentence, is_told) for answer in (wrong(**part), *answers))


def in_no_grad(network):
    """The loss, with model.encode or model.decode in no_grad."""

    def answer(model, grey):
        networks = {"encode": model.encode, "decode": model.decode}
        return loss(SimpleNamespace(**networks | {network: torch.no_grad()(networks[network])}), grey)

    return answer


def by_distributions(model, grey):
    x = Bernoulli(probs=grey).sample()
    mu, log_var = model.encode(x)
    q = Normal(mu, (0.5 * log_var).exp())
    distortion = F.binary_cross_entropy_with_logits(model.decode(q.rsample()), x, reduction="sum")
    return (distortion + kl_divergence(q, Normal(0.0, 1.0)).sum()) / len(x)


exercise(
    "negative_elbo",
    objective="write the loss of a VAE, minus the ELBO of a batch, on binarised images",
    level=3,
    points=4,
    given=lambda: [(SmallVAE(), torch.rand(IMAGES, 1, 28, 28) ** 3)],
    solution=loss,
    also_right=(by_distributions, lambda model, grey: loss(model, grey.double())),
    compare=Number("one number, the average over the images", gradient=True),
    expected=replay,
    otherwise="Encoding, sampling and decoding are right, the two terms are not.",
    mistakes=(
        of_binarisation(
            lambda grey: grey,
            "model.encode was given grey pixels. The model is one of binary images: draw x = torch.bernoulli(grey) "
            "first, and use this x everywhere",
            lambda x, grey: not torch.equal(x, x * x),
        ),
        of_binarisation(
            torch.round,
            "you rounded the pixels, or compared them with a threshold, which gives the same x every time. Draw them: "
            "torch.bernoulli(grey) makes a pixel of 0.3 ink in 3 of 10 steps",
            lambda x, grey: (grey * (1 - x)).max() <= (grey + 1 - x).min(),
        ),
        of_binarisation(
            lambda grey: torch.bernoulli(grey**2),
            in_shares,
            is_unlike,
        ),
        Mistake(
            in_no_grad("encode"),
            "you called model.encode inside no_grad, so that no gradient reaches the encoder and it cannot learn: call "
            "it outside",
            lambda call: not call.arguments[0].encode.last[1][0].requires_grad,
        ),
        *sampling_mistakes(
            lambda draw: wrong(draw=draw),
            drawn,
            "you decoded z = mu. Without the spread of q the result is too good, and no bound any more: it is not an "
            "ELBO, neither in training nor at test time",
        ),
        Mistake(
            wrong(kl=lambda mu, v: 0.5 * (mu**2 + v - 1 - v.log())),
            "your result is NaN: is there a logarithm of log_var? It is a logarithm already",
            lambda call: bool(call.result.isnan()),
        ),
        mistake(
            "this is the ELBO: the loss is minus it, so turn both signs",
            total=lambda *terms: -sum_of_both(*terms),
        ),
        mistake(
            "the sign of the KL is wrong: it is a cost, and adds to the distortion",
            total=lambda bce, kl: (bce.sum(1) - kl.sum(1)).mean(),
        ),
        mistake(
            "the sign of the distortion is wrong: both terms are costs",
            total=lambda bce, kl: (kl.sum(1) - bce.sum(1)).mean(),
        ),
        mistake(
            "the KL is missing: without it this is an autoencoder with noise",
            total=lambda bce, kl: bce.sum(1).mean(),
        ),
        mistake(
            "the distortion is missing: nothing asks for images that look like x",
            total=lambda bce, kl: kl.sum(1).mean(),
        ),
        mistake(
            "you averaged over the pixels, which silently sets beta to 784: sum over them",
            total=lambda bce, kl: bce.mean() + kl.sum(1).mean(),
        ),
        mistake(
            "you averaged over pixels and over latents: sum over both",
            total=lambda bce, kl: bce.mean() + kl.mean(),
        ),
        mistake(
            f"you averaged over the latents, which sets beta to 1/{LATENTS}: sum over them",
            total=lambda bce, kl: bce.sum(1).mean() + kl.mean(),
        ),
        mistake(
            f"you summed over the batch: that is {IMAGES} times as much as per image",
            total=lambda bce, kl: bce.sum() + kl.sum(),
        ),
        mistake(
            "you summed the distortion over the batch, but averaged the KL",
            total=lambda bce, kl: bce.sum() + kl.sum(1).mean(),
        ),
        mistake(
            "you summed the KL over the batch, but averaged the distortion",
            total=lambda bce, kl: bce.sum(1).mean() + kl.sum(),
        ),
        mistake("your KL is twice as large: the factor 1/2 is missing", kl=lambda *q: 2 * kl_of(*q)),
        mistake("your KL has the wrong sign, and half its size", kl=lambda *q: -kl_of(*q) / 2),
        mistake(
            "your KL uses log_var as if it were the variance: the variance is log_var.exp()",
            kl=lambda mu, v: 0.5 * (mu**2 + v - 1 - v.abs().log()),
        ),
        mistake(
            "your KL uses log_var as if it were log sigma: it is the logarithm of the variance already",
            kl=lambda mu, v: kl_of(mu, 2 * v),
        ),
        mistake(
            "your x_hat is compared with grey pixels: that BCE is no likelihood, so compare with the binarised x",
            to=lambda grey: grey,
        ),
        mistake("you applied a sigmoid to the logits, and the BCE applies it once more", of=torch.sigmoid),
        Mistake(
            wrong(to=torch.bernoulli),
            "you binarised twice: encoder and BCE must see the same x, drawn once",
            is_near_grey_target,
        ),
        *gradient_mistake(
            "the number is right, but the KL passes on no gradient, so that sigma is trained towards 0 as if it were "
            "missing: leave out no_grad, detach and item()",
            wrong(total=lambda bce, kl: bce.sum(1).mean() + kl.sum(1).mean().item()),
            kl=lambda *q: kl_of(*q).detach(),
        ),
        *gradient_mistake(
            "the number is right, but the KL passes on no gradient to mu: leave out detach and no_grad",
            kl=lambda mu, v: kl_of(mu.detach(), v),
        ),
        *gradient_mistake(
            "the number is right, but the KL passes on no gradient to log_var: leave out detach and no_grad",
            kl=lambda mu, v: kl_of(mu, v.detach()),
        ),
        *gradient_mistake(
            "the number is right, but the distortion passes on no gradient, so that the decoder cannot learn: leave "
            "out no_grad, detach and item()",
            wrong(total=lambda bce, kl: bce.sum(1).mean().item() + kl.sum(1).mean()),
            in_no_grad("decode"),
            total=lambda bce, kl: sum_of_both(bce.detach(), kl),
        ),
    ),
    told=(
        (
            wrong(total=lambda bce, kl: bce.sum(1) + kl.sum(1)),
            "the average over the images; your result is a",
        ),
        (wrong(total=lambda bce, kl: sum_of_both(bce, kl).item()), "no .item() and no float()"),
        (wrong(total=lambda bce, kl: sum_of_both(bce, kl).detach()), "carries no gradient"),
        (wrong(total=lambda bce, kl: sum_of_both(bce, kl) + 7), "the two terms are not"),
        (wrong(total=lambda bce, kl: 1.01 * sum_of_both(bce, kl)), "the two terms are not"),
        (wrong(draw=lambda mu, v: draw(mu, v)[:1]), "takes z (1000, 5); your z has the shape (1, 5)"),
        (wrong(draw=lambda mu, v: draw(mu, v).T), "your z has the shape (5, 1000)"),
        (lambda model, grey: grey.mean(), "you never called model.encode(x)"),
        (
            lambda model, grey: model.encode(torch.bernoulli(grey))[0].mean(),
            "you never called model.decode(z)",
        ),
        (lambda model, grey: model.encode(grey.flatten(1)), "your x has the shape (1000, 784)"),
        (lambda model, grey: (model, grey), "returned a tuple"),
    ),
    hints=(
        "Five lines: binarise, encode, sample z, decode, and the two terms. Use the binarised x in the first and in "
        "the last of them.",
        "x = torch.bernoulli(grey); mu, log_var = model.encode(x); z = mu + (0.5 * log_var).exp() * "
        "torch.randn_like(mu)",
        "distortion: F.binary_cross_entropy_with_logits(logits, x, reduction='none').flatten(1).sum(dim=1), one number "
        "per image. Add the KL per image, then average.",
    ),
    praise="Binarise, encode, sample, decode, add up, average: that is the whole training objective of a VAE.",
)


# --- the prior that makes the rate smallest ---


def tables():
    """q(z|x) of images (N, 1) as rows of probabilities over K values of z, at two sizes and degrees of sharpness."""
    return [
        ((sharpness * torch.randn(*size)).softmax(dim=1),) for size, sharpness in (((6, 4), 1), ((40, 9), 2))
    ]


def rate_under(q, p):
    """The average over images (rows of q) of KL(q || p) in nats."""
    return (q * (q / p).log()).sum(dim=1).mean()


def smallest(q):
    return rate_under(q, q.mean(dim=0))


def geometric_mean(q):
    return q.log().mean(dim=0).softmax(dim=0)


exercise(
    "smallest_rate",
    objective="derive which prior makes the average rate of a VAE smallest",
    level=2,
    points=3,
    given=tables,
    solution=smallest,
    also_right=(
        lambda q: (q * q.log()).sum(1).mean() - (q.mean(0) * q.mean(0).log()).sum(),
        lambda q: torch.special.entr(q.mean(0)).sum() - torch.special.entr(q).sum(1).mean(),
        lambda q: smallest(q).item(),
        lambda q: smallest(q.double()),
    ),
    compare=Number("one number in nats, the smallest average rate"),
    describe=lambda q: f"for {q.shape[0]} images and {q.shape[1]} values of z",
    otherwise="Check with the condition: the derivative of the average with respect to each p_k, minus a multiplier.",
    mistakes=(
        (
            lambda q: rate_under(q, torch.full_like(q[0], 1 / q.shape[1])),
            "you took the uniform prior: it is the best one only if q, averaged over the images, is uniform",
        ),
        (
            lambda q: rate_under(q, geometric_mean(q)),
            "your prior is the geometric mean of the q(z|x): that one makes the other direction, KL(p || q), smallest",
        ),
        (
            lambda q: (q.mean(0) * (q.mean(0) / q).log()).sum(1).mean(),
            "your prior is right, and the direction of your KL is not: the rate is KL(q || p), weighted by q",
        ),
        (
            lambda q: rate_under(q, q.mean(0)) * len(q),
            "you summed over the images: the average rate is asked for",
        ),
        (
            lambda q: (q * (q / q.mean(0)).log()).mean(),
            "you averaged over the values of z: a KL sums over them",
        ),
        (
            lambda q: -rate_under(q, q.mean(0)),
            "the sign is wrong: a KL is never negative",
        ),
        (
            lambda q: -(q.mean(0) * q.mean(0).log()).sum(),
            "this is the entropy of the averaged q: the entropy that each q(z|x) has itself is missing",
        ),
        (
            lambda q: -(q * q.log()).sum(1).mean(),
            "this is the average entropy of the q(z|x), without a prior",
        ),
        (
            lambda q: 0.0 * q.sum(),
            "0 would need a prior of its own for every image: one p serves all of them",
        ),
        (
            lambda q: rate_under(q, q.mean(0)) / torch.tensor(2.0).log(),
            "your result is in bits: take the natural logarithm",
        ),
    ),
    told=(
        (lambda q: q.mean(0), "your result is a tensor"),
        (lambda q: (q * (q / q.mean(0)).log()).sum(1), "your result is a tensor"),
        (lambda q: 1.1 * smallest(q), "Check with the condition"),
    ),
    hints=(
        "Only one part of the average rate depends on p: -(1/N) sum_i sum_k q_ik log p_k. Minimise it under the "
        "condition that the p_k add up to 1.",
        "With a multiplier m, the derivative with respect to p_k is -mean_i(q_ik) / p_k + m = 0. What is p_k, and what "
        "must m be?",
        "p = q.mean(dim=0). Put it into the average of KL(q || p): (q * (q / p).log()), summed over z, averaged over "
        "the images.",
    ),
    praise="The best prior is the average of all q(z|x). The rest of the rate is the mutual information of x and z.",
)


# --- counting the latents that are used ---


def latents_of_many_kinds():
    """Each mistake counts another number of them at one of the thresholds at least.

    Five latents are used, one has a wide q, one the same narrow q for every image, one is used by four images, two are
    nearly off, three are off. In one image three used latents have no KL at all, so that a division by it shows.
    """
    spread = torch.tensor([1.0] * 5 + [0.5, 0.0, 0.0, 0.02, 0.02, 0.0, 0.0, 0.0])
    mu = torch.randn(500, len(spread)) * spread
    mu[:4, 7] = torch.tensor([2.0, -2.0, 2.0, -2.0])
    log_var = torch.tensor([-3.0] * 5 + [0.0, -2.0] + [0.0] * 6).repeat(500, 1)
    mu[9, :3] = log_var[9, :3] = 0
    return [(mu.clone(), log_var.clone(), threshold) for threshold in (0.01, 0.1, 0.2, 0.6, 0.8)]


def active(mu, log_var, threshold):
    return (kl_of(mu, log_var).mean(dim=0) > threshold).sum()


def of_images(reduce):
    """A count of the KL (B, n), which `reduce` turns into the numbers that are compared with the threshold."""
    return lambda mu, v, threshold: (reduce(kl_of(mu, v)) > threshold).sum()


COUNTED_IMAGES = "you averaged or summed over the latents, and counted images: average over dim 0"

exercise(
    "active_latents",
    objective="count the latents that a VAE uses, by their KL",
    level=1,
    points=2,
    given=latents_of_many_kinds,
    together=True,
    solution=active,
    also_right=(
        lambda *given: int(active(*given)),
        lambda *given: active(*given).numpy().sum(),
        lambda mu, v, t: active(mu.double(), v.double(), t),
    ),
    compare=Number("one number, the count of active latents"),
    describe=lambda mu, v, t: f"for {len(mu)} images and threshold {t:g}",
    mistakes=(
        (
            lambda mu, v, t: (kl_of(mu, v).mean(0) <= t).sum(),
            "you counted the latents that are off",
        ),
        (
            lambda mu, v, t: (kl_of(mu, v) > t).any(0).sum(),
            "you count a latent as active if one image uses it: average over images",
        ),
        (
            of_images(lambda kl: kl.sum(0)),
            "you summed over the images: the threshold is for their average",
        ),
        (of_images(lambda kl: kl), "you counted (image, latent) pairs: average over the images first"),
        (of_images(lambda kl: kl.mean(1)), COUNTED_IMAGES),
        (of_images(lambda kl: kl.sum(1)), COUNTED_IMAGES),
        (
            lambda mu, v, t: active(mu.mean(0)[None], v.mean(0)[None], t),
            "you averaged mu and log_var before the formula: different means cancel out, so average the KL",
        ),
        (
            lambda mu, v, t: (mu.var(0) > t).sum(),
            "you looked at the variance of mu only: a latent with its own narrow q costs nats, too, so take its KL",
        ),
        (
            of_images(lambda kl: -kl.mean(0)),
            "the sign of your KL is flipped, so nothing is above the threshold",
        ),
        (of_images(lambda kl: 2 * kl.mean(0)), "your KL is twice as large: the factor 1/2 is missing"),
        (
            lambda mu, v, t: active(mu, 2 * v, t),
            "your KL uses log_var as if it were log sigma: it is the logarithm of the variance already",
        ),
        (
            lambda mu, v, t: active(mu, v / 2, t),
            "your KL uses half of log_var everywhere: the variance is log_var.exp()",
        ),
        (
            lambda mu, v, t: (0.5 * (mu**2 + (v / 2).exp() - 1 - v).mean(0) > t).sum(),
            "your KL has the standard deviation where the variance belongs: the variance is log_var.exp()",
        ),
    ),
    told=(
        (
            lambda mu, v, t: kl_of(mu, v).mean(0) > t,
            "the count of active latents; your result is a tensor of bools",
        ),
        (lambda mu, v, t: (kl_of(mu, v).mean(0) > t).any(), "your result is a tensor of bools, of shape ()"),
        (lambda mu, v, t: kl_of(mu, v), "return one number"),
        (of_images(lambda kl: (kl / kl * kl).mean(0)), "you have 4, right is 8"),
        (lambda mu, v, t: 6.5, "For 500 images and threshold 0.01: you have 6.5"),
        (lambda mu, v, t: "four", "returned a str"),
    ),
    hints=(
        "The KL of each latent, for each image: 0.5 * (mu**2 + log_var.exp() - 1 - log_var), of shape (B, n).",
        "Average it over the images (dimension 0): n numbers are left, one for each latent.",
        "How many of them are above the threshold? (kl > threshold).sum() counts.",
    ),
    praise="One number per latent, averaged over images: this is where you see a collapse that the sum hides.",
)


# --- free bits ---


def two_rates():
    """KL (B, n): of the first, one latent is above the floor but not their sum; of the second, not even their sum."""
    averages = torch.tensor([0.9, 0.3, 0.1, 0.02, 0.0]), torch.tensor([0.2, 0.1, 0.05, 0.0, 0.0])
    return [((2 * torch.rand(40, LATENTS) * average).requires_grad_(), 0.5) for average in averages]


def with_free_bits(rate, floor):
    return rate.mean(dim=0).clamp(min=floor).sum()


def slope(call):
    """The gradient of the first result with respect to its rate (B, n), zeros where none arrives."""
    (rate, _), result = call.arguments[0], call.result[0]
    if not isinstance(result, torch.Tensor) or not result.requires_grad:
        return torch.zeros_like(rate)
    return torch.autograd.grad(result, rate, retain_graph=True, materialize_grads=True)[0]


def slope_below_floor(call):
    rate, floor = call.arguments[0]
    return slope(call)[:, rate.mean(dim=0) < floor]


exercise(
    "free_bits",
    objective="write the KL term with free bits, which keeps latents from falling silent",
    level=2,
    points=2,
    given=two_rates,
    together=True,
    solution=with_free_bits,
    also_right=(
        lambda rate, floor: torch.maximum(rate.mean(0), torch.tensor(floor)).sum(),
        lambda rate, floor: with_free_bits(rate.double(), floor),
        # The formula, letter by letter: where all latents are below the floor, its result is a constant.
        lambda rate, floor: sum(max(average, torch.tensor(floor)) for average in rate.mean(0)),
        lambda rate, floor: sum(max(average, floor) for average in rate.mean(0)),
    ),
    compare=Number("one number, the sum over the latents"),
    describe=lambda rate, floor: f"for {len(rate)} images, {rate.shape[1]} latents and a floor of {floor}",
    mistakes=(
        (
            lambda rate, floor: rate.clamp(min=floor).sum(1).mean(),
            "you applied the floor to every image: average over the images first, or a latent is punished for the "
            "images that need less of it",
        ),
        (
            lambda rate, floor: rate.mean(0).clamp(max=floor).sum(),
            "clamp(max=floor) cuts off what lies above: the floor is a minimum",
        ),
        (lambda rate, floor: rate.mean(0).sum(), "the floor is missing: this is the plain KL"),
        (
            lambda rate, floor: rate.mean(0).sum().clamp(min=floor * LATENTS),
            "you applied one floor to the sum: each latent needs its own",
        ),
        (
            lambda rate, floor: rate.mean(0).sum().clamp(min=floor),
            "you applied the floor to the sum: each latent needs its own",
        ),
        (
            lambda rate, floor: rate.sum(1).clamp(min=floor).mean(),
            "the floor still meets the sum over the latents of each image: it must meet one latent's average",
        ),
        (
            lambda rate, floor: rate.sum(0).clamp(min=floor).mean(),
            "you summed over the images and averaged over the latents: it is the other way round",
        ),
        (
            lambda rate, floor: rate.mean(0).clamp(min=floor).mean(),
            "you averaged over the latents: sum over them",
        ),
        (
            lambda rate, floor: (rate.mean(0) - floor).clamp(min=0).sum(),
            "you subtracted the floor: its gradient is right, but the nats below the floor are missing from the number",
        ),
        (
            lambda rate, floor: (rate.mean(0) * (rate.mean(0) >= floor)).sum(),
            "you dropped the latents below the floor: they count as much as the floor",
        ),
        (
            lambda rate, floor: (rate.mean(0) + floor).sum(),
            "you added the floor to every latent: it only raises those below it",
        ),
        (
            lambda rate, floor: rate.sum(0).clamp(min=floor).sum(),
            "you summed over the images: average over them",
        ),
        (
            lambda rate, floor: rate.clamp(min=floor).sum(),
            "you applied the floor to every image, and summed over the batch",
        ),
        (
            lambda rate, floor: with_free_bits(rate, floor) + rate.sum() - rate.detach().sum(),
            "the number is right, but below the floor there must be no gradient: raise it by clamp(min=floor)",
            lambda call: call.right and slope_below_floor(call).any(),
        ),
        *(
            Mistake(
                cut,
                "the number is right, but no gradient reaches rate, so that nothing can be learnt from it: leave out "
                "no_grad, detach, item() and float()",
                lambda call: call.right and not slope(call).any(),
            )
            for cut in (
                lambda rate, floor: with_free_bits(rate, floor).detach(),
                lambda rate, floor: with_free_bits(rate, floor).item(),
                lambda rate, floor: with_free_bits(rate, floor).detach().requires_grad_(),
            )
        ),
    ),
    told=(
        (
            lambda rate, floor: rate.mean(0).clamp(min=floor),
            "the sum over the latents; your result is a tensor of shape (5,)",
        ),
        (lambda rate, floor: rate.clamp(min=floor), "return one number"),
        (
            lambda rate, floor: with_free_bits(rate, floor) + 0.02,
            "For 40 images, 5 latents and a floor of 0.5",
        ),
    ),
    hints=(
        "Average over the images first, so that there is one number for each latent.",
        "Numbers below the floor are raised to it: clamp(min=floor), or torch.maximum.",
        "Then sum over the latents: the result replaces the KL term of the loss.",
    ),
    praise="Below the floor the gradient is 0, so a latent gains nothing by falling silent.",
)
