"""The classic mistakes of notebook 08's exercises, each with its own diagnosis."""

import pytest
import torch
import torch.nn.functional as F

from course_utils.exercises import check


def kl_of(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var)


def draw(mu, log_var):
    return mu + (0.5 * log_var).exp() * torch.randn_like(mu)


def combine(bce, kl):
    return (bce.sum(1) + kl.sum(1)).mean()


def loss(
    model, grey, binarise=torch.bernoulli, sample=draw, target=None, kl=kl_of, total=combine, of=lambda a: a
):
    """The reference, with one part at a time replaced by a mistake."""
    x = binarise(grey)
    mu, log_var = model.encode(x)
    logits = of(model.decode(sample(mu, log_var)))
    goal = x if target is None else target(grey)
    bce = F.binary_cross_entropy_with_logits(logits, goal, reduction="none").flatten(1)
    return total(bce, kl(mu, log_var))


def wrong(**part):
    return lambda model, grey: loss(model, grey, **part)


def active(mu, log_var, threshold):
    return (kl_of(mu, log_var).mean(dim=0) > threshold).sum()


def with_free_bits(rate, floor):
    return rate.mean(dim=0).clamp(min=floor).sum()


RIGHT = {"negative_elbo": loss, "active_latents": active, "free_bits": with_free_bits}
MISTAKES = [
    ("negative_elbo", wrong(binarise=lambda grey: grey), "was given grey pixels"),
    ("negative_elbo", wrong(binarise=torch.round), "you rounded the pixels"),
    ("negative_elbo", wrong(binarise=lambda grey: (grey > 0.1).float()), "of its pixels inked"),
    ("negative_elbo", wrong(target=lambda grey: grey), "compared with grey pixels"),
    ("negative_elbo", wrong(target=torch.bernoulli), "you binarised twice"),
    ("negative_elbo", wrong(sample=lambda mu, v: mu), "you decoded z = mu"),
    (
        "negative_elbo",
        wrong(sample=lambda mu, v: mu + v.exp() * torch.randn_like(mu)),
        "epsilon by the variance",
    ),
    ("negative_elbo", wrong(sample=lambda mu, v: mu + v * torch.randn_like(mu)), "epsilon by log_var itself"),
    (
        "negative_elbo",
        wrong(sample=lambda mu, v: mu + torch.randn_like(mu)),
        "without multiplying it by sigma",
    ),
    ("negative_elbo", wrong(sample=lambda mu, v: torch.randn_like(mu)), "you drew z from the prior"),
    (
        "negative_elbo",
        wrong(sample=lambda mu, v: mu + 3 * torch.randn_like(mu)),
        "spread of your z is not that of q",
    ),
    ("negative_elbo", wrong(sample=lambda mu, v: draw(mu, v).detach()), "z is cut off from mu and log_var"),
    ("negative_elbo", wrong(sample=lambda mu, v: draw(mu, v)[:1]), "you decoded 1 of them for 300 images"),
    ("negative_elbo", wrong(sample=lambda mu, v: draw(mu, v).T), "takes one z per image, (B, 5)"),
    (
        "negative_elbo",
        wrong(total=lambda bce, kl: (bce.sum(1) - kl.sum(1)).mean()),
        "the sign of the KL is wrong",
    ),
    ("negative_elbo", wrong(total=lambda bce, kl: -combine(bce, kl)), "this is the ELBO"),
    (
        "negative_elbo",
        wrong(total=lambda bce, kl: -bce.sum(1).mean() + kl.sum(1).mean()),
        "sign of the distortion",
    ),
    ("negative_elbo", wrong(total=lambda bce, kl: bce.sum(1).mean()), "the KL is missing"),
    ("negative_elbo", wrong(total=lambda bce, kl: kl.sum(1).mean()), "the distortion is missing"),
    ("negative_elbo", wrong(total=lambda bce, kl: bce.mean() + kl.sum(1).mean()), "sets beta to 784"),
    ("negative_elbo", wrong(total=lambda bce, kl: bce.mean() + kl.mean()), "over pixels and over latents"),
    ("negative_elbo", wrong(total=lambda bce, kl: bce.sum(1).mean() + kl.mean()), "sets beta to 1/5"),
    ("negative_elbo", wrong(total=lambda bce, kl: bce.sum() + kl.sum()), "you summed over the batch"),
    (
        "negative_elbo",
        wrong(total=lambda bce, kl: bce.sum() + kl.sum(1).mean()),
        "the distortion over the batch",
    ),
    ("negative_elbo", wrong(total=lambda bce, kl: bce.sum(1).mean() + kl.sum()), "the KL over the batch"),
    (
        "negative_elbo",
        wrong(total=lambda bce, kl: bce.sum(1) + kl.sum(1)),
        "average them, so that one number",
    ),
    ("negative_elbo", wrong(total=lambda bce, kl: bce.mean(0)), "one number is asked for"),
    ("negative_elbo", wrong(total=lambda bce, kl: combine(bce, kl).item()), "it carries no gradient"),
    ("negative_elbo", wrong(total=lambda bce, kl: combine(bce, kl) + 7), "the two terms are not"),
    ("negative_elbo", wrong(kl=lambda mu, v: 2 * kl_of(mu, v)), "the factor 1/2 is missing"),
    ("negative_elbo", wrong(kl=lambda mu, v: -kl_of(mu, v) / 2), "the wrong sign, and half its size"),
    (
        "negative_elbo",
        wrong(kl=lambda mu, v: 0.5 * (mu**2 + v - 1 - v.abs().log())),
        "as if it were the variance",
    ),
    ("negative_elbo", wrong(kl=lambda mu, v: 0.5 * (mu**2 + v - 1 - v.log())), "your result is NaN"),
    ("negative_elbo", wrong(kl=lambda mu, v: kl_of(mu, 2 * v)), "as if it were log sigma"),
    ("negative_elbo", wrong(of=torch.sigmoid), "you applied a sigmoid to the logits"),
    ("negative_elbo", lambda model, grey: grey.mean(), "you never called model.encode"),
    (
        "negative_elbo",
        lambda model, grey: model.encode(torch.bernoulli(grey))[0].mean(),
        "never called model.decode",
    ),
    ("negative_elbo", lambda model, grey: model.encode(grey.flatten(1)), "takes images (B, 1, 28, 28)"),
    ("negative_elbo", lambda model, grey: (model, grey), "returned a tuple"),
    (
        "active_latents",
        lambda mu, v, t: (kl_of(mu, v).mean(0) <= t).sum(),
        "counted the latents that are off",
    ),
    ("active_latents", lambda mu, v, t: (kl_of(mu, v) > t).any(0).sum(), "active if one image uses it"),
    ("active_latents", lambda mu, v, t: (kl_of(mu, v).sum(0) > t).sum(), "you summed over the images"),
    ("active_latents", lambda mu, v, t: (kl_of(mu, v) > t).sum(), "counted (image, latent) pairs"),
    (
        "active_latents",
        lambda mu, v, t: (kl_of(mu, v).mean(1) > t).sum(),
        "averaged over the latents, and counted",
    ),
    ("active_latents", lambda mu, v, t: active(mu.mean(0)[None], v.mean(0)[None], t), "before the formula"),
    ("active_latents", lambda mu, v, t: (mu.var(0) > t).sum(), "the variance of mu only"),
    ("active_latents", lambda mu, v, t: (-kl_of(mu, v).mean(0) > t).sum(), "the sign of your KL is flipped"),
    ("active_latents", lambda mu, v, t: kl_of(mu, v).mean(0) > t, "one entry per latent"),
    (
        "active_latents",
        lambda mu, v, t: (kl_of(mu, v).mean(0) > t).any(),
        "whether there is an active latent",
    ),
    ("active_latents", lambda mu, v, t: kl_of(mu, v), "one number is asked for"),
    ("active_latents", lambda mu, v, t: 6.5, "you have 6.5 active latents"),
    ("active_latents", lambda mu, v, t: "four", "returned a str"),
    ("free_bits", lambda r, f: r.clamp(min=f).sum(1).mean(), "you applied the floor to every image: average"),
    ("free_bits", lambda r, f: r.mean(0).clamp(max=f).sum(), "the floor is a minimum"),
    ("free_bits", lambda r, f: r.sum(1).mean(), "the floor is missing"),
    ("free_bits", lambda r, f: r.sum(1).mean().clamp(min=5 * f + 2), "the number is not right"),
    ("free_bits", lambda r, f: r.mean(0).clamp(min=f).mean(), "you averaged over the latents"),
    ("free_bits", lambda r, f: (r.mean(0) - f).clamp(min=0).sum(), "you subtracted the floor"),
    (
        "free_bits",
        lambda r, f: (r.mean(0) * (r.mean(0) >= f)).sum(),
        "you dropped the latents below the floor",
    ),
    ("free_bits", lambda r, f: (r.mean(0) + f).sum(), "you added the floor to every latent"),
    ("free_bits", lambda r, f: r.sum(0).clamp(min=f).sum(), "you summed over the images"),
    ("free_bits", lambda r, f: r.clamp(min=f).sum(), "and summed over the batch"),
    ("free_bits", lambda r, f: r.mean(0).clamp(min=f), "one number per latent"),
    ("free_bits", lambda r, f: r.clamp(min=f), "one number is asked for"),
    ("free_bits", lambda r, f: with_free_bits(r, f).item(), "it carries no gradient"),
    (
        "free_bits",
        lambda r, f: with_free_bits(r, f) + r.sum() - r.detach().sum(),
        "below the floor there must be no gradient",
    ),
]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(name, assert_told):
    assert_told(name, RIGHT[name], "Right")


@pytest.mark.parametrize("name", RIGHT)
def test_stubs_read_to_do(name, assert_told):
    assert_told(name, lambda *arguments: None, "To do")


@pytest.mark.parametrize(("name", "answer", "diagnosis"), MISTAKES)
def test_each_mistake_gets_its_own_diagnosis(name, answer, diagnosis, assert_own_diagnosis):
    assert_own_diagnosis(name, answer, diagnosis, [mistake for mistake in MISTAKES if mistake[0] == name])


def test_other_right_ways_pass_as_well(capsys):
    def by_distributions(model, grey):
        x = torch.distributions.Bernoulli(probs=grey).sample()
        mu, log_var = model.encode(x)
        q = torch.distributions.Normal(mu, (0.5 * log_var).exp())
        logits = model.decode(q.rsample())
        distortion = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
        return distortion + torch.distributions.kl_divergence(
            q, torch.distributions.Normal(0.0, 1.0)
        ).sum() / len(x)

    check("negative_elbo", by_distributions)
    check("active_latents", lambda mu, v, t: int(active(mu, v, t)))
    check("free_bits", lambda r, f: torch.maximum(r.mean(0), torch.tensor(f)).sum())
    assert capsys.readouterr().out.count("Right") == 3


def test_checking_leaves_the_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    check("negative_elbo", loss)
    assert torch.equal(torch.rand(2), expected)
