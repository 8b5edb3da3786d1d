"""Exercises of notebook 09: the loss of a conditional VAE, a test for each class, one style in all of them."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.exercises.compare import Several, Tensor
from course_utils.exercises.engine import Mistake, exercise
from course_utils.exercises.sampling import draw, is_standard_normal, sampling_mistakes
from course_utils.exercises.spies import Spy

K = 10

# --- the loss, with the condition in both networks ---

IMAGES, LATENTS = 5000, 3


def plain_networks():
    x = torch.rand(IMAGES, 1, 28, 28).round()
    # No 8 and no 9, so that a one-hot made without num_classes comes out too short.
    y = torch.randint(0, 8, (IMAGES,))
    y[:2] = torch.tensor([3, 7])
    mu = (3 * torch.randn(IMAGES, LATENTS)).requires_grad_()
    log_var = (torch.rand(IMAGES, LATENTS) - 2.5).requires_grad_()
    encoder = Spy("encoder", lambda rows: torch.cat([mu, log_var], dim=1), {"rows": None})
    encoder.mu, encoder.log_var = mu, log_var
    decoder = Spy("decoder", to_images, {"rows": None})
    return [(x, y, encoder, decoder)]


def to_images(rows):
    return rows.flatten(1).sum(dim=1)[:, None, None, None].expand(-1, 1, 28, 28)


def one_hot(y):
    return F.one_hot(y, num_classes=K)


def with_condition(condition=one_hot):
    """What a network is given: images or z, and `condition(y)` behind them."""
    return lambda left, y: torch.cat([left.flatten(1), condition(y)], dim=1)


join = with_condition()


def distortion_of(logits, x):
    """-log p(x|z, y) in nats, (B,)."""
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(dim=1)


def after_sigmoid(logits, x):
    """The same on paper; in float32 the sigmoid of a large logit is 1."""
    return F.binary_cross_entropy(logits.sigmoid(), x, reduction="none").flatten(1).sum(dim=1)


def rate_of(mu, log_var):
    """KL(q(z|x, y) || N(0, I)) in nats, (B,)."""
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1)


def forward(to_encoder=join, draw=draw, to_decoder=join, distortion=distortion_of, rate=rate_of):
    """An answer, each part of which may hold a mistake."""

    def answer(x, y, encoder, decoder):
        mu, log_var = encoder(to_encoder(x, y)).chunk(2, dim=1)
        logits = decoder(to_decoder(draw(mu, log_var), y))
        return distortion(logits, x.to(logits.dtype)), rate(mu, log_var)

    return answer


def with_both(give):
    """An answer that makes something else of distortion and rate."""
    return lambda *arguments: give(*forward()(*arguments))


def given_to(network, call):
    """The rows that a network was given last."""
    (rows,), _ = call.arguments[{"encoder": 2, "decoder": 3}[network]].last
    return rows


CONDITIONS = (
    (lambda y: torch.zeros(len(y), K), "holds zeros only: the condition is lost"),
    (
        lambda y: one_hot(y) * y[:, None],
        "holds the label where a 1 should stand: class 0 then looks like no class at all",
    ),
    (lambda y: one_hot(y).roll(1, dims=1), "is one place too far right: labels start at 0"),
    (lambda y: one_hot(y).roll(-1, dims=1), "is one place too far left: labels start at 0"),
    (
        lambda y: one_hot(y)[:1].expand(len(y), -1),
        "is that of the first image in every row: each image has its own label",
    ),
    (lambda y: 1 - one_hot(y), "has 0 and 1 exchanged"),
)


def condition_mistakes(network, what, n):
    """Mistakes in the rows of one network, which takes n numbers of `what` and a one-hot behind them."""

    def mistake(to_network, sentence, told_if):
        answer = forward(**{f"to_{network}": to_network})
        return Mistake(answer, sentence, lambda call: told_if(given_to(network, call), call.arguments[1]))

    def shape(call):
        return tuple(given_to(network, call).shape)

    return (
        mistake(
            lambda left, y: join(left, y)[:, None],
            lambda call: (
                f"the {network} was given the shape {shape(call)}, but takes rows (B, {n + K}): flatten what "
                "you give it, with .flatten(1), before you append the condition"
            ),
            lambda rows, y: rows.ndim != 2,
        ),
        mistake(
            with_condition(lambda y: y[:, None]),
            f"you appended the label to {what} as one number. Then class 9 is nine times class 1, and 4 lies between 3 "
            f"and 5: a one-hot of {K} numbers treats all classes alike",
            lambda rows, y: rows.shape[1] == n + 1,
        ),
        mistake(
            with_condition(F.one_hot),
            f"the one-hot that you gave the {network} has 8 numbers, one more than the largest label in this batch: it "
            f"would change from batch to batch. Say F.one_hot(y, num_classes={K})",
            lambda rows, y: rows.shape[1] == n + 8,
        ),
        mistake(
            with_condition(lambda y: torch.zeros(len(y), 12)),
            lambda call: (
                f"the {network} was given rows of {shape(call)[1]} numbers, but takes {n + K}: {what} and a "
                "one-hot of y"
            ),
            lambda rows, y: rows.shape[1] != n + K,
        ),
        mistake(
            lambda left, y: torch.cat([one_hot(y), left.flatten(1)], dim=1),
            f"you put the one-hot in front of {what}; here it stands behind it",
            lambda rows, y: torch.equal(rows[:, :K], one_hot(y).float()),
        ),
        *(
            mistake(
                with_condition(condition),
                f"the one-hot that the {network} is given {sentence}",
                lambda rows, y, condition=condition: torch.equal(rows[:, n:], condition(y).float()),
            )
            for condition, sentence in CONDITIONS
        ),
        mistake(
            with_condition(lambda y: one_hot(y.flip(0))),
            f"the one-hot of the {network} belongs to other images: do not shuffle y",
            lambda rows, y: (
                not torch.equal(rows[:, n:], one_hot(y).float())
                and torch.equal(rows[:, n:].sort(dim=0).values, one_hot(y).float().sort(dim=0).values)
            ),
        ),
        mistake(
            with_condition(lambda y: one_hot(y) + 2),
            f"the last {K} numbers that the {network} is given are not the one-hot of y",
            lambda rows, y: not torch.equal(rows[:, n:], one_hot(y).float()),
        ),
    )


def drawn(call):
    encoder = call.arguments[2]
    return given_to("decoder", call)[:, :LATENTS], encoder.mu, encoder.log_var


def pixel_error(call):
    return (given_to("encoder", call)[:, : 28 * 28] - call.arguments[0].flatten(1)).abs().max()


def has_mu_and_log_var(call):
    return given_to("decoder", call).shape[1:] in ((2 * LATENTS,), (2 * LATENTS + K,))


def value_mistake(answer, sentence, gives):
    """A mistake in the two numbers; gives(distortion, rate, logits, x, mu, log_var) is what it returns."""

    def given(call):
        encoder, decoder = call.arguments[2:]
        return gives(*call.expected, decoder.last[1], call.arguments[0], encoder.mu, encoder.log_var)

    return Mistake(answer, sentence, gives=given)


exercise(
    "conditional_loss",
    objective="write the loss of a conditional VAE, with the condition in both networks",
    level=2,
    points=5,
    given=plain_networks,
    solution=forward(),
    also_right=(
        with_both(lambda *two: list(two)),
        forward(to_encoder=lambda x, y: join(x.double(), y)),
    ),
    compare=Several(
        "distortion and rate",
        (Tensor("the distortion (B,)", gradient=True), Tensor("the rate (B,)", gradient=True)),
    ),
    expected=lambda call: (
        distortion_of(call.arguments[3].last[1], call.arguments[0]),
        rate_of(call.arguments[2].mu, call.arguments[2].log_var),
    ),
    otherwise="Both are sums, one number for each image: the distortion over its pixels, the rate over its latents.",
    mistakes=(
        *(
            Mistake(
                forward(to_encoder=pixels),
                "you gave the encoder the pixels alone. Then it cannot know what the decoder will be told, and z keeps "
                "what it could leave out: the encoder is q(z|x, y), so append the condition there, too",
                lambda call: torch.equal(given_to("encoder", call).flatten(1), call.arguments[0].flatten(1)),
            )
            for pixels in (lambda x, y: x.flatten(1), lambda x, y: x)
        ),
        *condition_mistakes("encoder", "the pixels", 28 * 28),
        Mistake(
            forward(to_encoder=lambda x, y: join(255 * x, y)),
            "the pixels that reach the encoder are not those of x: pass them on unchanged",
            lambda call: not pixel_error(call) < 1e-5,
        ),
        Mistake(
            forward(to_decoder=lambda z, y: z),
            "you gave the condition to the encoder only: the decoder sees z alone. Such a model trains without "
            "complaint, and when you ask it for a 7, it draws any digit (fidelity near 10 %). The decoder is "
            "p(x|z, y), so append the one-hot to z as well",
            lambda call: given_to("decoder", call).shape == (IMAGES, LATENTS),
        ),
        Mistake(
            forward(draw=lambda mu, log_var: torch.cat([mu, log_var], dim=1)),
            "you gave the decoder mu and log_var side by side: draw z from them first",
            has_mu_and_log_var,
        ),
        *condition_mistakes("decoder", "z", LATENTS),
        *sampling_mistakes(
            lambda draw: forward(draw=draw),
            drawn,
            "you decoded z = mu: draw z = mu + sigma * epsilon, or this is no sample of q(z|x, y)",
        ),
        value_mistake(
            with_both(lambda distortion, rate: (rate, distortion)),
            "you returned the rate first: the distortion comes first",
            lambda distortion, rate, *_: (rate, distortion),
        ),
        value_mistake(
            with_both(lambda distortion, rate: (distortion.mean(), rate.mean())),
            "you averaged over the batch: return one number for each image, (B,)",
            lambda distortion, rate, *_: (distortion.mean(), rate.mean()),
        ),
        value_mistake(
            forward(distortion=lambda logits, x: distortion_of(logits, x) / 784),
            "you averaged the distortion over the pixels, so it is 784 times too small beside the rate: sum over them",
            lambda distortion, rate, *_: (distortion / 784, rate),
        ),
        value_mistake(
            forward(rate=lambda mu, log_var: rate_of(mu, log_var) / LATENTS),
            "you averaged the rate over the latents: sum over them, since the nats of independent latents add up",
            lambda distortion, rate, *_: (distortion, rate / LATENTS),
        ),
        value_mistake(
            forward(rate=lambda mu, log_var: 2 * rate_of(mu, log_var)),
            "your rate is twice as large as it should be: the factor 1/2 is missing",
            lambda distortion, rate, *_: (distortion, 2 * rate),
        ),
        value_mistake(
            with_both(lambda distortion, rate: (-distortion, rate)),
            "your distortion is log p(x|z, y): the distortion is minus that",
            lambda distortion, rate, *_: (-distortion, rate),
        ),
        value_mistake(
            with_both(lambda distortion, rate: (distortion, -rate)),
            "your rate has the wrong sign: a KL is never negative",
            lambda distortion, rate, *_: (distortion, -rate),
        ),
        value_mistake(
            forward(distortion=lambda logits, x: distortion_of(logits.sigmoid(), x)),
            "you applied a sigmoid, and then the cross entropy that applies one itself: give it the logits",
            lambda distortion, rate, logits, x, *_: (distortion_of(logits.sigmoid(), x), rate),
        ),
        value_mistake(
            forward(distortion=after_sigmoid),
            "you computed the cross entropy from probabilities. In float32 the sigmoid of a logit of 17 is exactly 1, "
            "and what its pixel costs is lost: F.binary_cross_entropy_with_logits does both steps in one",
            lambda distortion, rate, logits, x, *_: (after_sigmoid(logits, x), rate),
        ),
        value_mistake(
            forward(distortion=lambda logits, x: (logits.sigmoid() - x).square().flatten(1).sum(dim=1)),
            "your distortion is a squared error: binary pixels have the binary cross entropy with the logits",
            lambda distortion, rate, logits, x, *_: (
                (logits.sigmoid() - x).square().flatten(1).sum(dim=1),
                rate,
            ),
        ),
    ),
    told=(
        (
            lambda x, y, encoder, decoder: (x, *encoder(join(x, y)).chunk(2, dim=1))[:2],
            "you never called decoder(rows)",
        ),
        (
            lambda x, y, encoder, decoder: (decoder(join(torch.randn(len(y), 3), y)), y),
            "you never called encoder(rows)",
        ),
        (forward(to_encoder=lambda x, y: (x, one_hot(y))), "your rows is of type tuple, not a tensor"),
        (with_both(lambda distortion, rate: distortion + rate), "return 2 things: distortion and rate"),
        (with_both(lambda distortion, rate: (2 * distortion, rate)), "number 1 is not right"),
        (with_both(lambda distortion, rate: (distortion, 3 * rate)), "number 2 is not right"),
        (with_both(lambda distortion, rate: (distortion.detach(), rate)), "carries no gradient"),
        (with_both(lambda distortion, rate: (distortion, rate.detach())), "carries no gradient"),
    ),
    hints=(
        "F.one_hot(y, num_classes=10) makes (B, 10) of (B,). Both networks need it.",
        "The encoder takes torch.cat([x.flatten(1), one_hot], dim=1), and gives mu and log_var: .chunk(2, dim=1). "
        "Draw z from them, and give the decoder torch.cat([z, one_hot], dim=1).",
        "Distortion and rate are those of notebook 08: F.binary_cross_entropy_with_logits(logits, x, "
        'reduction="none") summed over the pixels, and (mu**2 + log_var.exp() - 1 - log_var) / 2 summed over the '
        "latents.",
    ),
    praise="The encoder may leave out of z whatever the condition says, because the decoder is told it again.",
)


# --- does the model listen? ---


def drawing(obedience, moved=0):
    """A decoder which draws the class asked for, moved up by `moved`, in a share `obedience` of the cases.

    It draws in a place that `read` looks at. Two directions of z decide: the first whether it obeys, the second what it
    draws if it does not.
    """

    def decode(z, y):
        own = (torch.special.ndtr(z[:, 1]) * K).long().clamp(max=K - 1)
        shown = torch.where(torch.special.ndtr(z[:, 0]) < obedience, (y + moved) % K, own)
        return F.pad(one_hot(shown).float(), (0, 28 * 28 - K)).view(-1, 1, 28, 28)

    return decode


def read(x):
    return x[:, 0, 0, :K].argmax(dim=1)


def obedient_deaf_and_moved():
    return [
        (
            Spy("decode", drawing(obedience, moved), {"z": ("N", 8), "y": ("N",)}, {"y": K}),
            Spy("classify", read, {"x": ("N", 1, 28, 28)}),
            8,
        )
        for obedience, moved in ((0.95, 0), (0.0, 0), (0.95, 1))
    ]


def balanced():
    return torch.arange(K).repeat(100)


def counted(guess, y):
    """How many images that were asked for as class a are read as class b, (K, K)."""
    return torch.bincount(K * y + guess, minlength=K * K).view(K, K).float()


def in_shares(guess, y):
    counts = counted(guess, y)
    return counts / counts.sum(dim=1, keepdim=True)


def listen(draw_y=balanced, draw_z=torch.randn, give=in_shares):
    """An answer, each part of which may hold a mistake; `give` makes the table of it."""

    def answer(decode, classify, latent_size):
        y = draw_y()
        return give(classify(decode(draw_z(len(y), latent_size), y)), y)

    return answer


def class_by_class(decode, classify, latent_size):
    rows = []
    for k in range(K):
        guess = classify(decode(torch.randn(100, latent_size), torch.full((100,), k)))
        rows.append(one_hot(guess).float().mean(dim=0))
    return torch.stack(rows)


def asked(call):
    """All different z, and all labels that the model was asked for."""
    z, y = (torch.cat(parts) for parts in zip(*call.arguments[0].calls))
    return z.unique(dim=0), y


def shares_asked(call):
    _, y = asked(call)
    return torch.bincount(y, minlength=K) / len(y)


def other_than_the_prior(call):
    z, _ = asked(call)
    return (
        f"your z have the mean {z.mean():z.2f} and the standard deviation {z.std():.2f}: draw them from the prior "
        "N(0, I) with torch.randn"
    )


def table_of_all_calls(call):
    """The right table: an answer may decode in parts."""
    if not call.arguments[0].calls:
        return torch.zeros(K, K)
    _, y = asked(call)
    return in_shares(read(torch.cat(call.arguments[0].results)), y.long())


def adds_up(table, **dimension):
    """Whether the rows of a table (K, K), its columns or the whole of it add up to 1."""
    total = table.double().sum(**dimension)
    return table.shape == (K, K) and torch.allclose(total, torch.ones_like(total), atol=1e-3)


def table_mistake(give, sentence, told_if):
    """told_if(table) is asked of a table (K, K) that is not right."""

    def is_told(call):
        return not call.right and call.result.shape == (K, K) and told_if(call.result)

    return Mistake(listen(give=give), sentence, is_told)


exercise(
    "asked_and_read",
    objective="test whether a conditional model listens, class by class",
    level=2,
    points=3,
    given=obedient_deaf_and_moved,
    solution=listen(),
    also_right=(class_by_class, listen(draw_y=lambda: balanced().int())),
    compare=Tensor("a table, as a tensor (10, 10)", atol=1e-3),
    expected=table_of_all_calls,
    otherwise="Row a, column b is the share of the images asked for as class a that are read as class b.",
    mistakes=(
        Mistake(
            lambda decode, classify, latent_size: torch.eye(K),
            "you never called decode(z, y): ask the model for images first",
            lambda call: not call.arguments[0].calls,
        ),
        Mistake(
            listen(lambda: torch.arange(K)),
            lambda call: (
                f"you asked for {len(asked(call)[1])} images only: chance moves the result by percents. Take "
                "1,000 or so"
            ),
            lambda call: len(asked(call)[1]) < 500,
        ),
        Mistake(
            listen(lambda: torch.full((1000,), 3)),
            lambda call: (
                f"you asked for class {shares_asked(call).argmin()} in {shares_asked(call).min():.0%} of the "
                "cases: ask for each class equally often, because each has a row of its own"
            ),
            lambda call: shares_asked(call).min() < 0.05,
        ),
        Mistake(
            listen(draw_z=lambda N, n: torch.randn(1, n).expand(N, n)),
            "you used the same z for all images: the question is whether it listens in every style",
            lambda call: len(asked(call)[0]) == 1,
        ),
        *(
            Mistake(
                listen(draw_z=draw_z),
                other_than_the_prior,
                lambda call: not is_standard_normal(asked(call)[0]),
            )
            for draw_z in (torch.rand, lambda N, n: 0.5 * torch.randn(N, n))
        ),
        Mistake(
            listen(give=lambda guess, y: in_shares(guess, y).T),
            "your rows are the classes that were read: the class asked for belongs in the rows, and the class read in "
            "the columns",
            gives=lambda call: call.expected.T,
        ),
        table_mistake(
            lambda guess, y: counted(guess, y) / len(y),
            "your whole table adds up to 1, but each row should, because it describes the images of one class: divide "
            "each row by the number of its images",
            lambda table: adds_up(table),
        ),
        table_mistake(
            lambda guess, y: counted(guess, y) / counted(guess, y).sum(dim=0),
            "your columns add up to 1, which says what was asked for where a class is read. Here it is the other way "
            "round: divide each row by the number of its images",
            lambda table: adds_up(table, dim=0) and not adds_up(table, dim=1),
        ),
        table_mistake(
            counted,
            lambda call: (
                f"your first row adds up to {call.result[0].sum():.4g}: shares add up to 1 in each row, so divide it "
                "by the number of its images"
            ),
            lambda table: not adds_up(table, dim=1),
        ),
    ),
    told=(
        (
            listen(give=lambda guess, y: (guess == y).float().mean()),
            "result has shape (), right is (10, 10)",
        ),
        (listen(give=lambda guess, y: in_shares(guess, y).diagonal()), "shape (10,), right is (10, 10)"),
        (listen(give=lambda guess, y: in_shares(guess, y).tolist()), "return a table, as a tensor (10, 10)"),
        (listen(draw_z=lambda N, n: torch.randn(N, 3)), "your z has the shape (1000, 3)"),
        (listen(draw_z=lambda N, n: torch.randn(100, n)), "your y has the shape (1000,)"),
        (listen(lambda: one_hot(balanced())), "your y has the shape (1000, 10)"),
        (listen(lambda: balanced().float()), "takes labels of type int64 as y; yours are float32"),
        (listen(give=lambda guess, y: in_shares(guess, y).flip(0)), "shape is right, but at"),
    ),
    hints=(
        "Ask for every class equally often: y = torch.arange(10).repeat(100). Draw a z ~ N(0, I) for each.",
        "guess = classify(decode(z, y)). The images that were asked for as class a are those where y == a.",
        "Row a: F.one_hot(guess[y == a], num_classes=10).float().mean(dim=0). torch.stack makes a table of ten rows.",
    ),
    praise="The diagonal is the fidelity of each class, and what stands beside it says how a model fails.",
)


# --- one style in every class ---


class Stylist(nn.Module):
    """A conditional model whose images say from which z and which class they were made."""

    latent_size, num_classes = 2, K

    def __init__(self):
        super().__init__()
        self.ink = nn.Parameter(torch.ones(()))
        labels = {"y": K}
        self.encode = Spy("model.encode", self.style_of, {"x": ("B", 1, 28, 28), "y": ("B",)}, labels)
        self.decode = Spy("model.decode", self.logits_of, {"z": ("B", 2), "y": ("B",)}, labels)

    def style_of(self, x, y):
        mu = torch.stack([self.ink * x.mean(dim=(1, 2, 3)), 0.3 + 0.1 * y], dim=1)
        return mu, torch.full_like(mu, -1.0)

    def logits_of(self, z, y):
        images = F.pad(torch.cat([1 + z, one_hot(y)], dim=1), (0, 28 * 28 - 2 - K))
        return images.view(-1, 1, 28, 28)


def styles_in_classes(model, x, y, z_of=lambda mu, log_var: mu.expand(K, -1), labels=None):
    """`z_of` makes z of what the encoder says of x and y; `labels` is what the decoder is told: all, by default."""
    labels = torch.arange(K, device=y.device) if labels is None else labels
    with torch.no_grad():
        return model.decode(z_of(*model.encode(x, y)), labels).sigmoid()


def with_a_gradient(model, x, y):
    return model.decode(model.encode(x, y)[0].expand(K, -1), torch.arange(K)).sigmoid()


def wrong_styles(**part):
    return lambda model, x, y: styles_in_classes(model, x, y, **part)


def uses_other_z(call):
    model = call.arguments[0]
    mu = model.encode.last[1][0]
    return not call.right and any(not torch.allclose(z, mu[:1].expand_as(z)) for z, _ in model.decode.calls)


def is_in_another_order(call):
    in_order = (images.detach().double().sort(dim=0).values for images in (call.result, call.expected))
    return not call.right and Tensor().same(*in_order)


exercise(
    "in_every_class",
    objective="draw one image's style in every class, with one z and ten labels",
    level=1,
    points=2,
    given=lambda: [(Stylist(), torch.rand(1, 1, 28, 28), torch.tensor([4]))],
    solution=styles_in_classes,
    also_right=(
        lambda model, x, y: styles_in_classes(model, x.double(), y),
        lambda model, x, y: torch.cat(
            [wrong_styles(z_of=lambda *q: q[0], labels=torch.tensor([k]))(model, x, y) for k in range(K)]
        ),
        lambda model, x, y: styles_in_classes(model, x, y, labels=torch.arange(model.num_classes)),
    ),
    compare=Tensor("a tensor (10, 1, 28, 28)", gradient=False),
    otherwise="Your images are not what the decoder makes of mu and the labels 0 to 9.",
    mistakes=(
        Mistake(
            lambda model, x, y: model.decode(torch.randn(K, 2), torch.arange(K)).sigmoid(),
            "you never called model.encode(x, y): without it, z does not know the style",
            lambda call: not call.arguments[0].encode.calls,
        ),
        Mistake(
            lambda model, x, y: styles_in_classes(
                model, x.expand(K, -1, -1, -1), torch.arange(K), z_of=lambda mu, log_var: mu
            ),
            "you encoded the image with labels that it does not have. The encoder then describes it as a strange "
            "specimen of another class; give it y, and change the label for the decoder only",
            lambda call: any((y != 4).any() for _, y in call.arguments[0].encode.calls),
        ),
        Mistake(
            lambda model, x, y: styles_in_classes(model, x, y, lambda mu, log_var: mu, y),
            "you returned one image: give the decoder all ten labels, torch.arange(10, device=y.device)",
            lambda call: call.result.shape == (1, 1, 28, 28),
        ),
        Mistake(
            lambda model, x, y: styles_in_classes(model, x, y)[torch.arange(K) != 4],
            "you returned nine images: keep the own class among them, so that image k is class k",
            lambda call: call.result.shape == (K - 1, 1, 28, 28),
        ),
        (
            lambda model, x, y: styles_in_classes(model, x, y).logit(),
            "you returned logits: .sigmoid() makes pixels in [0, 1] of them",
        ),
        Mistake(
            wrong_styles(labels=torch.full((K,), 4)),
            "your ten images are the same: the decoder must be given ten different labels",
            lambda call: call.result.ndim == 4 and len(call.result.unique(dim=0)) == 1,
        ),
        Mistake(
            wrong_styles(z_of=lambda *q: draw(*q).expand(K, -1)),
            "you decoded another z than mu: without noise, the ten images show the style of this image",
            uses_other_z,
        ),
        Mistake(
            lambda model, x, y: styles_in_classes(model, x, y).flip(0),
            "the images are right, but not in the order of the classes: image k must be class k",
            is_in_another_order,
        ),
    ),
    told=(
        (wrong_styles(z_of=lambda mu, log_var: mu), "takes z (B, 2), y (B,); your y has the shape (10,)"),
        (lambda model, x, y: model.encode(x[0], y), "your x has the shape (1, 28, 28)"),
        (lambda model, x, y: styles_in_classes(model, x, y)[:, 0], "(10, 28, 28), right is (10, 1, 28, 28)"),
        (lambda model, x, y: styles_in_classes(model, x, y) / 2, "not what the decoder makes"),
        (with_a_gradient, "carries a gradient"),
        (lambda model, x, y: styles_in_classes(model, x, y).numpy(), "returned a ndarray"),
    ),
    hints=(
        "Encode the image with the class that it has: mu, log_var = model.encode(x, y).",
        "Decode that one mu ten times: model.decode(mu.expand(10, -1), torch.arange(10, device=y.device)).",
        "The decoder gives logits; .sigmoid() makes pixels of them. No gradient is needed: with torch.no_grad().",
    ),
    praise="One z, ten labels: what stays the same in the ten images is what z holds, and the rest is y.",
)


# --- from log p(x|y) to log p(x) ---


def log_bounds():
    # Two data sets, with 10 and with 3 classes. The numbers are those of images: exp of each is 0 in float32.
    return [(-95 - 60 * torch.rand(6, 10),), (-torch.tensor([[110.0, 112.0, 111.0], [131.0, 131.0, 131.0]]),)]


def of_log_p(bounds):
    return bounds.logsumexp(dim=1) - math.log(bounds.shape[1])


exercise(
    "bound_of_log_p",
    objective="derive a bound of log p(x) from bounds of log p(x|y)",
    level=2,
    points=2,
    given=log_bounds,
    solution=of_log_p,
    also_right=(
        lambda bounds: (bounds - math.log(bounds.shape[1])).logsumexp(dim=1),
        lambda bounds: bounds.double().exp().mean(dim=1).log(),
    ),
    compare=Tensor("a tensor (B,)"),
    otherwise="p(x) is the sum over y of p(y) p(x|y), with p(y) = 1/K; take the logarithm of that.",
    mistakes=(
        (
            lambda bounds: bounds.exp().mean(dim=1).log(),
            "your exp gives 0 for such small logarithms, and log 0 is minus infinity: torch.logsumexp takes the "
            "largest one out first",
        ),
        (
            lambda bounds: bounds.logsumexp(dim=1),
            "you gave every class the probability 1: p(y) = 1/K, which subtracts log K",
        ),
        (
            lambda bounds: bounds.logsumexp(dim=1) + math.log(bounds.shape[1]),
            "you added log K: a probability of 1/K makes p(x) smaller, so subtract it",
        ),
        (
            lambda bounds: bounds.logsumexp(dim=1) - math.log(10),
            "you subtracted log 10 where there are other than 10 classes: K is bounds.shape[1]",
        ),
        (
            lambda bounds: bounds.mean(dim=1),
            "you averaged the logarithms. By Jensen's inequality that is a bound, too, but a poor one: average the "
            "probabilities, then take the logarithm",
        ),
        (
            lambda bounds: bounds.amax(dim=1),
            "you took the largest one, as if the class were known: p(x) is a sum over all classes, with p(y) = 1/K",
        ),
        (
            lambda bounds: bounds.amax(dim=1) - math.log(bounds.shape[1]),
            "you counted the largest class only. That is close where one class is far ahead, and wrong where several "
            "are near: sum over all of them",
        ),
        (
            lambda bounds: bounds.logsumexp(dim=0) - math.log(bounds.shape[1]),
            "you summed over the images: the classes are dimension 1",
        ),
        (
            lambda bounds: -of_log_p(bounds),
            "you returned a bound of -log p(x): the sign is the other one",
        ),
    ),
    told=(
        (lambda bounds: of_log_p(bounds).tolist(), "returned a list"),
        (lambda bounds: of_log_p(bounds) + 1, "you have"),
    ),
    hints=(
        "p(x) = sum over y of p(y) p(x|y). Each p(x|y) is at least exp(bound), and p(y) = 1/K.",
        "So log p(x) >= log(1/K * sum over y of exp(bound of y)) = log sum exp - log K.",
        "bounds.logsumexp(dim=1) sums safely; K is bounds.shape[1], and math.log gives its logarithm.",
    ),
    praise="Where one class is far ahead, the sum is that class alone, and not knowing y costs log K nats.",
)
