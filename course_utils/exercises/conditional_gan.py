"""Exercises of notebook 11: one update of a conditional GAN, a test of the condition, wrong pairs, a head for pairs."""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.environment import forked_random_numbers
from course_utils.exercises.compare import Instance, Number, Several
from course_utils.exercises.engine import Call, Mistake, Wrong, exercise
from course_utils.exercises.spies import Spy

CLASSES = 7  # not 10, so that a ten in the reader's code is noticed
LABELS = {"y": CLASSES}


def generator_of(draw, noise_size):
    G = Spy("G", draw, {"z": ("B", noise_size), "y": ("B",)}, LABELS)
    G.noise_size, G.num_classes = noise_size, CLASSES
    return G


# --- one update, in four steps ---


class ToyGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3 + CLASSES, 784)

    def forward(self, z, y):
        return self.layer(torch.cat([z, F.one_hot(y, CLASSES)], dim=1)).sigmoid().view(-1, 1, 28, 28)


class ToyDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(784, CLASSES)

    def forward(self, x, y):
        return self.layer(x.flatten(1)).gather(1, y[:, None])[:, 0]


def networks_in_training():
    G = generator_of(ToyGenerator(), 3)
    D = Spy("D", ToyDiscriminator(), {"x": ("B", 1, 28, 28), "y": ("B",)}, LABELS)
    for parameter in (*G.parameters(), *D.parameters()):
        parameter.grad = torch.full_like(parameter, 0.1)  # what an earlier update has left
    optimizer_g, optimizer_d = (torch.optim.SGD(network.parameters(), lr=0.1) for network in (G, D))
    return [(G, D, optimizer_g, optimizer_d, torch.rand(64, 1, 28, 28), torch.randint(CLASSES, (64,)))]


def bce(logits, target, reduction="mean"):
    target = torch.full_like(logits, target)
    return F.binary_cross_entropy_with_logits(logits, target, reduction=reduction)


def one_update(
    G, D, optimizer_g, optimizer_d, x, y, *, draws=(), labels=None, targets=(1, 0, 1), detach=True, cleared="DG",
    reduction="mean", steps=("D", "G"),
):  # fmt: skip
    """The four steps. `draws`: noise and labels of step 2, and those of step 4 if other ones; the rest: mistakes.

    `labels(y, y_fake)` are those of the real images, of the fakes in step 3, and of the fakes in step 4.
    """
    draws = draws or [(torch.randn(len(x), G.noise_size), torch.randint(G.num_classes, y.shape))]
    y_3, y_fake, y_4 = labels(y, draws[0][1]) if labels else (y, draws[0][1], draws[-1][1])
    optimizers = {"D": optimizer_d, "G": optimizer_g}

    fakes = G(*draws[0])
    loss_d = bce(D(x, y_3), targets[0], reduction)
    loss_d = loss_d + bce(D(fakes.detach() if detach else fakes, y_fake), targets[1], reduction)
    if "D" in cleared:
        optimizer_d.zero_grad()
    loss_d.backward(retain_graph=not detach)
    for name in steps[0]:
        optimizers[name].step()

    fakes = G(*draws[-1]) if len(draws) > 1 else fakes
    loss_g = bce(D(fakes, y_4), targets[2], reduction)
    if "G" in cleared:
        optimizer_g.zero_grad()
    loss_g.backward()
    for name in steps[1]:
        optimizers[name].step()
    return loss_d, loss_g


def replayed(call: Call, **mistake):
    """The losses, G and D of an update from the numbers that the answer drew."""
    G = call.arguments[0]
    G.last  # noqa: B018, so that a reader who never called G is told so
    fresh = call.exercise.cases()[call.case]
    return one_update(*fresh, draws=[G.calls[0], *G.calls[1:][-1:]], **mistake), *fresh[:2]


def with_draw(noise=torch.randn, labels=lambda y: torch.randint(CLASSES, y.shape)):
    """An update that draws noise and labels of step 2 in its own way."""
    return lambda *given: one_update(*given, draws=[(noise(len(given[5]), 3), labels(given[5]))])


def asked_by_a_rule(call: Call) -> bool:
    """Whether the labels of fakes follow from those of the real images: then there are at most CLASSES pairs."""
    y = call.arguments[5]
    same_size = (asked for _, asked in call.arguments[0].calls if asked.shape == y.shape)
    return any(len((CLASSES * y + asked).unique()) <= CLASSES for asked in same_size)


def slip(sentence: str, **mistake) -> Mistake:
    """A mistake in the update that shows in its losses."""
    return Mistake(partial(one_update, **mistake), sentence, gives=lambda call: replayed(call, **mistake)[0])


def same_weights(network, other) -> bool:
    pairs = zip(network.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(own, others, atol=1e-6) for own, others in pairs)


exercise(
    "conditional_update",
    objective="write one update of a conditional GAN from the lecture's four steps",
    level=2,
    points=5,
    given=networks_in_training,
    solution=one_update,
    also_right=(
        lambda *given: [loss.item() for loss in one_update(*given)],
        # New fakes in step 4.
        lambda *given: one_update(
            *given, draws=[(torch.randn(64, 3), torch.randint(CLASSES, (64,))) for _ in range(2)]
        ),
    ),
    compare=Several("loss_d and loss_g", (Number("loss_d, one number"), Number("loss_g, one number"))),
    expected=lambda call: replayed(call)[0],
    otherwise="loss_d is bce(D(real pair), 1) + bce(D(fake pair), 0); loss_g is bce(D(fake pair), 1), taken after D's "
    "step.",
    mistakes=(
        (
            with_draw(labels=lambda y: y),
            "you asked G for the labels of the real images, whereas step 2 draws labels of its own: torch.randint",
            lambda call: any(torch.equal(asked, call.arguments[5]) for _, asked in call.arguments[0].calls),
        ),
        (
            with_draw(labels=lambda y: (y + 1) % CLASSES),
            "your labels of step 2 are not random: draw one for each fake, torch.randint(G.num_classes, y.shape)",
            asked_by_a_rule,
        ),
        (
            with_draw(labels=lambda y: torch.randint(CLASSES, (1,)).expand(len(y))),
            "your labels of step 2 are not random: draw one for each fake, torch.randint(G.num_classes, y.shape)",
            asked_by_a_rule,
        ),
        (
            with_draw(noise=lambda *shape: torch.randn(1, 3).expand(shape)),
            "some of your fakes share their noise: draw one z for each, torch.randn(len(x), G.noise_size)",
            lambda call: any(len(z.unique(dim=0)) < len(z) for z, _ in call.arguments[0].calls),
        ),
        (
            with_draw(noise=torch.rand),
            "all of your noise lies between -1 and 1, whereas step 2 draws it from a normal distribution: torch.randn",
            lambda call: any(z.abs().max() <= 1 for z, _ in call.arguments[0].calls),
        ),
        slip(
            "in step 3 you showed the fakes with the labels of the real images. D then meets fakes that are wrong for "
            "their label, however good G is: the fakes belong to y_fake",
            labels=lambda y, y_fake: (y, y, y_fake),
        ),
        slip(
            "in step 3 you showed the real images with y_fake, so that D learns to accept any label: x belongs to y",
            labels=lambda y, y_fake: (y_fake, y_fake, y_fake),
        ),
        slip(
            "in step 4 you showed the fakes with the labels of the real images, which they were not asked for",
            labels=lambda y, y_fake: (y, y_fake, y),
        ),
        slip("the targets of D are swapped: real is 1, fake is 0", targets=(0, 1, 1)),
        slip("the target of the fakes is 1 in your loss_d: that is what G wishes, not D", targets=(1, 1, 1)),
        slip("the target in your loss_g is 0, whereas G wants D to answer 1", targets=(1, 0, 0)),
        slip("your losses are sums over the images: average them", reduction="sum"),
        slip("D has not moved when you compute loss_g: step 3 ends with optimizer_d.step()", steps=("", "G")),
        slip(
            "D also followed gradients that an earlier update has left: optimizer_d.zero_grad() comes before "
            "loss_d.backward()",
            cleared="G",
        ),
        (
            partial(one_update, steps=("D", "")),
            "the losses are right, but G has not moved: step 4 ends with optimizer_g.step()",
            lambda call: call.right and same_weights(call.arguments[0], call.untouched[0]),
        ),
        (
            partial(one_update, cleared="D"),
            "the losses are right, but G also followed gradients that were there before: optimizer_g.zero_grad() comes "
            "before loss_g.backward()",
            lambda call: call.right and not same_weights(call.arguments[0], replayed(call)[1]),
        ),
        (
            partial(one_update, steps=("D", "GD")),
            "the losses are right, but D has moved in step 4, too, towards what G wishes: only optimizer_g takes a "
            "step there",
            lambda call: call.right and not same_weights(call.arguments[1], replayed(call)[2]),
        ),
        (
            partial(one_update, detach=False),
            "the result is right, but step 3 also computes a gradient for G, which step 4 throws away: give D "
            "fakes.detach() there",
            lambda call: call.right and any(x.requires_grad for x, _ in call.arguments[1].calls[:-1]),
        ),
    ),
    told=(
        (lambda *given: one_update(*given)[0], "return 2 things: loss_d and loss_g"),
        (lambda *given: (torch.zeros(()), torch.zeros(())), "you never called G(z, y)"),
        (with_draw(labels=lambda y: torch.rand(len(y))), "takes labels of type int64 as y"),
        (lambda *given: [2 * loss for loss in one_update(*given)], "taken after D's step"),
    ),
    hints=(
        "Step 2 is two lines: torch.randn(len(x), G.noise_size), and torch.randint(G.num_classes, y.shape).",
        "Step 3: loss_d = bce(D(x, y), 1) + bce(D(fakes.detach(), y_fake), 0), then zero_grad, backward and step with "
        "optimizer_d.",
        "Step 4: loss_g = bce(D(fakes, y_fake), 1), then zero_grad, backward and step with optimizer_g. Return both.",
    ),
    praise="Every image meets its own label, D alone moves in step 3, and G alone in step 4.",
)


# --- a test of the condition ---


def who_asked(z, y):
    """An image whose pixel 0 is the noise, and pixel 1 the label: (B, 1, 28, 28)."""
    image = torch.zeros(len(z), 28 * 28)
    image[:, 0], image[:, 1] = z[:, 0], y / 10
    return image.view(-1, 1, 28, 28)


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


def for_ten_classes(G, classify, z, y):
    fidelity, _ = two_shares(G, classify, z, y)
    return fidelity, (classify(G(z, y)) == torch.randint(10, y.shape)).float().mean()


def is_near(value, expected):
    # 4,000 images: the standard error of a share is below 0.8 %, and 4 % is five times that.
    return abs(float(value) - float(expected)) < 0.04


def fidelity_in(call):
    return (call.arguments[2][:, 0] <= 0.6).float().mean()


exercise(
    "fidelity_and_control",
    objective="measure whether a conditional generator obeys its label, with a control",
    level=1,
    points=2,
    given=forgetful_cases,
    solution=two_shares,
    also_right=(lambda *all_: [share.item() for share in two_shares(*all_)],),
    # 3 % are five standard errors of the control, and less than 1 / 7 - 1 / 10: ten classes are noticed.
    compare=Several("two shares, fidelity and control", (Number("a share"), Number("a share", atol=0.03))),
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
        (for_ten_classes, "number 2 is not right"),
    ),
    hints=(
        "Draw the images once, in eval mode, and let classify say what they show.",
        "The fidelity compares with y. The control compares the same images with labels in another order: "
        "y[torch.randperm(len(y))].",
        "(guesses == y).float().mean() is a share. Return two of them: fidelity, control.",
    ),
    praise="High fidelity beside a control at chance: the images follow the labels they were asked for.",
)


# --- the smallest loss of D with wrong pairs ---


def tables():
    """Probabilities p, q (labels, images): overlapping classes, then classes without overlap and a perfect G."""
    p, q = (4 * torch.rand(2, 3, 5)).softmax(dim=2)  # so uneven that mistakes differ in their losses
    apart = torch.tensor([[0.5, 0.5, 0, 0], [0, 0, 0.2, 0.8]])
    return [(p, q), (apart, apart.clone())]


def a_log_b(a, b):
    return a * b.log()  # NaN where both are 0


def smallest(
    p, q, *, wrong=lambda p: (p.sum(dim=0) - p) / (len(p) - 1), over_labels=torch.mean, cost=torch.xlogy
):
    fake = q + wrong(p)
    best = p / (p + fake)  # D as a probability
    return over_labels(-(cost(p, best) + cost(fake, 1 - best)).sum(dim=1))


exercise(
    "smallest_loss_with_wrong_pairs",
    objective="derive the best D, and its loss, where real images with wrong labels count as fakes",
    level=2,
    points=3,
    given=tables,
    solution=smallest,
    also_right=(lambda p, q: smallest(p.double(), q.double()).item(),),
    compare=Number("the smallest loss, one number"),
    describe=lambda p, q: f"for {p.shape[0]} labels and {p.shape[1]} images",
    otherwise="For each label and image, minimise -p log D - (q + r) log(1 - D) over D, where r is the mean of p over "
    "the other labels; then add up over the images and average over the labels.",
    mistakes=(
        (
            lambda p, q: smallest(p, q, cost=a_log_b),
            "0 log 0 is nan in PyTorch, but what has the probability 0 costs nothing: torch.xlogy(a, b) is a log b, "
            "and 0 where a is 0",
            lambda call: call.case == 1 and not math.isfinite(call.result),
        ),
        (
            lambda p, q: smallest(p, q, wrong=lambda p: 0),
            "that is the smallest loss of the four steps alone: the wrong pairs are missing",
        ),
        (
            lambda p, q: smallest(p, q, wrong=lambda p: p.mean(dim=0)),
            "your wrong labels include the right one: average over the other labels only",
        ),
        (
            lambda p, q: smallest(p, q, wrong=lambda p: (q.sum(dim=0) - q) / (len(q) - 1)),
            "you averaged q over the other labels, but the images of wrong pairs are real ones: average p",
        ),
        (
            lambda p, q: smallest(p, q, wrong=lambda p: p.sum(dim=0) - p),
            "you added up the other labels. One wrong label is drawn for each image, so average over them",
        ),
        (
            lambda p, q: smallest(p, q, over_labels=torch.sum),
            "you added up over the labels: the loss is an average over pairs, and each label is equally frequent",
        ),
        (
            lambda p, q: -smallest(p, q),
            "your sign is reversed: the loss is minus the mean of logarithms",
        ),
    ),
    told=((lambda p, q: p, "return the smallest loss, one number"), (lambda p, q: 1.0, "minimise -p log D")),
    hints=(
        "For one image and one label, write loss_d as a function of D alone, and set its slope to zero.",
        "-p log D - (q + r) log(1 - D) is smallest at D = p / (p + q + r).",
        "r = (p.sum(dim=0) - p) / (len(p) - 1). torch.xlogy(a, b) is a log b, and 0 where a is 0.",
    ),
    praise="Where classes do not overlap, wrong pairs leave the balance at 2 log 2; where they do, it lies higher.",
)


# --- a head that can tell labels apart ---


class PairHead(nn.Module):
    """Features (B, num_features) and labels (B,) to logits (B,); `hidden` 0 is the colleague's head."""

    def __init__(self, num_features, num_classes, hidden=16):
        super().__init__()
        self.num_classes = num_classes
        size = num_features + num_classes
        first = [nn.Linear(size, hidden), nn.LeakyReLU(0.2)] if hidden else []
        self.layers = nn.Sequential(*first, nn.Linear(hidden or size, 1))

    def forward(self, f, y):
        return self.layers(torch.cat([f, F.one_hot(y, self.num_classes)], dim=1))[:, 0]


class Projection(nn.Module):
    def __init__(self, num_features, num_classes):
        super().__init__()
        self.realism, self.match = nn.Linear(num_features, 1), nn.Embedding(num_classes, num_features)

    def forward(self, f, y):
        return self.realism(f)[:, 0] + (self.match(y) * f).sum(dim=1)


class SigmoidBehind(PairHead):
    """The colleague's head as a probability: the sigmoid changes advantages, but not who has them."""

    def forward(self, f, y):
        return super().forward(f, y).sigmoid()


class ZeroProjection(Projection):
    """It starts as a head that does not use y, and learns to use it."""

    def __init__(self, num_features, num_classes):
        super().__init__(num_features, num_classes)
        nn.init.zeros_(self.match.weight)


class LinearWithDropout(PairHead):
    """The colleague's head behind a dropout, whose noise is no dependence on the image."""

    def __init__(self, num_features, num_classes):
        super().__init__(num_features, num_classes, hidden=0)
        self.layers.insert(0, nn.Dropout(0.3))


class NoLabel(Projection):
    def forward(self, f, y):
        return self.realism(f)[:, 0]


class Column(Projection):
    def forward(self, f, y):
        return super().forward(f, y)[:, None]


def logits_of(call: Call) -> torch.Tensor:
    """What the reader's head says in eval mode of 200 images under each label, (200, CLASSES)."""
    y = torch.arange(CLASSES).repeat(200)
    head = call.result.eval()
    try:
        with forked_random_numbers(), torch.no_grad():
            # Large features, so that a head in which labels weigh much more than features shows what it can do.
            f = 10 * torch.randn(200, 12).repeat_interleave(CLASSES, dim=0)
            head(f, y)  # lazy layers get their weights here
            # Weights that start at zero say nothing of what the head can learn: all are moved a little.
            moved = {name: w + 0.01 * torch.randn_like(w) for name, w in head.named_parameters()}
            logits = torch.func.functional_call(head, moved, (f, y))
    except Exception as error:
        raise Wrong(f"your head fails on features (1400, 12) and labels (1400,): {error}") from None
    if not isinstance(logits, torch.Tensor) or logits.shape != y.shape:
        found = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise Wrong(f"your head must return one logit for each pair, (1400,); it returned {found}.")
    return logits.view(200, CLASSES)


def spread_of_advantage(call: Call) -> float:
    """How much the advantage of each label over label 0 differs from image to image."""
    logits = logits_of(call)
    return (logits - logits[:, :1]).std(dim=0).max().item()


def order_ever_turns(call: Call) -> bool:
    """Whether there are two labels of which one has the higher logit for some images, and the other one for others."""
    logits = logits_of(call)
    more = logits[:, :, None] - logits[:, None, :]  # (200, CLASSES, CLASSES)
    higher = (more > 1e-5).any(dim=0)  # by more than rounding
    return bool((higher & higher.T).any())


exercise(
    "label_aware_head",
    objective="find out why a discriminator cannot tell labels apart, and mend its head",
    level=3,
    points=4,
    given=lambda: [(12, CLASSES)],
    solution=PairHead,
    also_right=(Projection, ZeroProjection),
    compare=Instance("a network", (nn.Module,)),
    mistakes=(
        (
            NoLabel,
            "the logit of your head is the same under every label: it does not use y",
            lambda call: logits_of(call).std(dim=1).max() < 1e-6,
        ),
        (
            partial(PairHead, hidden=0),
            "under your head a label has the same advantage over another one for every image, so that D still cannot "
            "check whether label and image belong together",
            lambda call: spread_of_advantage(call) < 1e-5,
        ),
        (
            LinearWithDropout,
            "under your head a label has the same advantage over another one for every image, so that D still cannot "
            "check whether label and image belong together",
            lambda call: spread_of_advantage(call) < 1e-5,
        ),
        (
            partial(SigmoidBehind, hidden=0),
            "of any two labels your head prefers the same one for every image, whatever the size of the advantage, so "
            "that D still cannot check whether label and image belong together",
            lambda call: not order_ever_turns(call),
        ),
    ),
    told=(
        (lambda *sizes: PairHead, "return a network"),
        (lambda num_features, num_classes: nn.Linear(num_features, 1), "your head fails on features"),
        (Column, "must return one logit for each pair, (1400,); it returned (1400, 1)"),
        (lambda *sizes: 3, "return a network"),
    ),
    hints=(
        "Write the colleague's logit as a sum: one part depends on f alone. On what does the other part depend?",
        "The difference of its logits for two labels is the same number for every image. What is missing between the "
        "concatenation and the last layer?",
        "nn.Linear(num_features + num_classes, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1): behind the activation, the "
        "effect of the label depends on the features.",
    ),
    praise="Which label has the advantage now depends on the image, and that is what D has to judge.",
)
