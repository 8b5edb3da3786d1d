"""Exercises of notebook 06: masked inputs, the worth of an alarm, a walk between codes, a search for a code."""

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.exercises.compare import Number, Tensor
from course_utils.exercises.engine import exercise
from course_utils.exercises.spies import Spy

# --- a loss with masked inputs ---

SHARE = 0.25
# Images of the case, of which no pixel is 0 by itself: what is 0 in the model's input was erased.
COUNT = 40


def errors(x_hat, x):
    return (x_hat - x).square().flatten(1).sum(dim=1)


def masked(x, share):
    return x * (torch.rand_like(x) >= share)


def masking_loss(model, x, share):
    return errors(model(masked(x, share)), x).mean()


def masked_in_place(model, x, share):
    x[torch.rand_like(x) < share] = 0
    return errors(model(x), x).mean()


def target_masked(model, x, share):
    damaged = masked(x, share)
    return errors(model(damaged), damaged).mean()


def counted(kept: bool):
    """The loss over the pixels that are kept, or over those that are erased."""

    def answer(model, x, share):
        keep = (torch.rand_like(x) >= share).float()
        count = keep if kept else 1 - keep
        return errors(model(x * keep) * count, x * count).mean()

    return answer


def erasing(keep):
    """The loss with a mask of its own: `keep(x, share)` is 1 where a pixel is kept, 0 where it is erased."""
    return lambda model, x, share: errors(model(x * keep(x, share)), x).mean()


def without_a_square(x, share):
    keep, side = torch.ones_like(x), round(28 * share**0.5)
    for one in keep:
        top, left = torch.randint(0, 29 - side, (2,)).tolist()
        one[:, top : top + side, left : left + side] = 0
    return keep


@torch.no_grad()
def without_gradient(model, x, share):
    return masking_loss(model, x, share)


def masking_cases():
    # A parameter, so that a loss without a path to the model can be told.
    grey = nn.Parameter(torch.full((1, 1, 28, 28), 0.6))
    model = Spy("model", lambda x: grey.expand(len(x), -1, -1, -1), {"x": ("B", 1, 28, 28)})
    return [(model, 0.3 + 0.7 * torch.rand(COUNT, 1, 28, 28), SHARE)]


def seen(call):
    return call.arguments[0].last[0][0]


def erased(call):
    return seen(call) == 0


def share_erased(call):
    return erased(call).float().mean().item()


def neighbours_together(call):
    """Whether pixels beside or below each other are erased together more often than by chance."""
    gone, share = erased(call), share_erased(call)
    beside = (gone[..., 1:] == gone[..., :-1]).float().mean().item()
    below = (gone[..., 1:, :] == gone[..., :-1, :]).float().mean().item()
    # 30,240 pairs: the standard error of either share is about 0.003.
    return max(beside, below) > share**2 + (1 - share) ** 2 + 0.03


def over(pixels):
    """What a loss gives that counts some pixels only: `pixels(call)` is their mask."""
    return lambda call: errors(0.6 * pixels(call), call.untouched[1] * pixels(call)).mean()


exercise(
    "masking_loss",
    objective="write the loss of an autoencoder that fills in erased pixels",
    level=2,
    points=3,
    given=masking_cases,
    solution=masking_loss,
    also_right=(
        lambda model, x, share: errors(model(F.dropout(x, share) * (1 - share)), x).mean(),
        erasing(lambda x, share: torch.bernoulli(torch.full_like(x, 1 - share))),
    ),
    compare=Number("one number, the loss averaged over the images", gradient=True),
    expected=lambda call: errors(torch.full_like(call.untouched[1], 0.6), call.untouched[1]).mean(),
    otherwise="It is the squared error between model(masked x) and x, summed over pixels and averaged over images.",
    mistakes=(
        (
            lambda model, x, share: torch.stack([masking_loss(model, one[None], share) for one in x]).mean(),
            lambda call: (
                f"the model was called {len(call.arguments[0].calls)} times; call it once, with all images"
            ),
            lambda call: len(call.arguments[0].calls) > 1 or len(seen(call)) != COUNT,
        ),
        (
            lambda model, x, share: errors(model(x), x).mean(),
            "the model was given the whole image: erase pixels of its input",
            lambda call: torch.equal(seen(call), call.untouched[1]),
        ),
        (
            lambda model, x, share: errors(model(F.dropout(x, share)), x).mean(),
            "F.dropout makes the pixels that it keeps brighter, by 1 / (1 - share): multiply by a mask of your own",
            lambda call: torch.allclose(
                seen(call), torch.where(erased(call), 0, call.untouched[1] / (1 - SHARE))
            ),
        ),
        (
            lambda model, x, share: errors(model(masked(x, share) + 0.01), x).mean(),
            "pixels that were not erased have changed: they stay as they are, and the erased ones become 0",
            lambda call: not torch.allclose(seen(call), torch.where(erased(call), 0, call.untouched[1])),
        ),
        (
            lambda model, x, share: masking_loss(model, x, 1 - share),
            lambda call: (
                f"you kept a share of {1 - share_erased(call):.2f} and erased {share_erased(call):.2f} of the pixels: "
                "share says how many to erase, so it is the wrong way round"
            ),
            lambda call: abs(share_erased(call) - (1 - SHARE)) < 0.02,
        ),
        (
            erasing(lambda x, share: torch.rand_like(x[:1]) >= share),
            "all images have the same mask: draw one for every pixel of every image, torch.rand_like(x)",
            lambda call: bool((erased(call) == erased(call)[:1]).all()),
        ),
        (
            erasing(lambda x, share: torch.rand(len(x), 1, 1, 1) >= share),
            "you erased whole images and left the others alone: draw a random number for every pixel",
            lambda call: set(erased(call).flatten(1).float().mean(dim=1).tolist()) <= {0.0, 1.0},
        ),
        *(
            (
                erasing(keep),
                "pixels beside each other are erased together, in rows, columns or blocks: draw a random number for "
                "every pixel",
                neighbours_together,
            )
            for keep in (
                lambda x, share: torch.rand(len(x), 1, 28, 1) >= share,
                lambda x, share: torch.rand(len(x), 1, 1, 28) >= share,
                without_a_square,
            )
        ),
        (
            lambda model, x, share: masking_loss(model, x, share / 2),
            lambda call: (
                f"you erased a share of {share_erased(call):.2f} of the pixels; share = {SHARE} was asked for"
            ),
            # 31,360 pixels: the standard error of the share is 0.0024.
            lambda call: abs(share_erased(call) - SHARE) > 0.0125,
        ),
        *(
            (
                answer,
                "your target is masked, too: then the model learns to draw holes. Compare with x",
                None,
                lambda call: errors(torch.full_like(seen(call), 0.6), seen(call)).mean(),
            )
            for answer in (target_masked, masked_in_place)
        ),
        (
            counted(kept=False),
            "you counted the erased pixels only; the target is the whole image",
            None,
            over(lambda call: erased(call).float()),
        ),
        (
            counted(kept=True),
            "you counted the kept pixels only: then nobody asks the model to fill the holes",
            None,
            over(lambda call: 1 - erased(call).float()),
        ),
        (
            lambda model, x, share: F.mse_loss(model(masked(x, share)), x),
            "your loss is 784 times too small: you averaged over pixels. Sum over them",
        ),
        (
            lambda model, x, share: COUNT * masking_loss(model, x, share),
            f"you added up over the {COUNT} images: average over them",
        ),
    ),
    told=(
        (lambda model, x, share: errors(model(masked(x, share)), x), "a tensor of shape (40,)"),
        (lambda model, x, share: masking_loss(model, x, share).item(), "no .item()"),
        (lambda model, x, share: 2 * masking_loss(model, x, share), "between model(masked x) and x"),
        (without_gradient, "carries no gradient"),
    ),
    hints=(
        "A mask has the shape of x: 1 where a pixel is kept, 0 where it is erased. Draw it with torch.rand_like(x).",
        "keep = torch.rand_like(x) >= share. Only the model's input is x * keep.",
        "error_per_image(model(x * keep), x).mean()",
    ),
    praise="Damaged input, whole target: the same recipe serves for noise, masks, blur and missing colours.",
)


# --- how many alarms are true ---


def true_alarms(caught, false_alarms, rate):
    return caught * rate / (caught * rate + false_alarms * (1 - rate))


exercise(
    "share_of_true_alarms",
    objective="derive what an alarm is worth from its two error rates and from how rare anomalies are",
    level=1,
    points=2,
    given=lambda: [(0.9, 0.05, 0.01), (0.98, 0.05, 0.001), (0.5, 0.5, 0.3)],
    solution=true_alarms,
    compare=Number("one number, a share between 0 and 1"),
    describe=lambda caught, false_alarms, rate: (
        f"for caught = {caught}, false_alarms = {false_alarms}, rate = {rate}"
    ),
    otherwise="Count the alarms among 100,000 images: those of anomalies, and all of them.",
    mistakes=(
        (
            lambda caught, false_alarms, rate: caught,
            "that is the share of anomalies that raise an alarm; asked is the share of alarms that are anomalies",
        ),
        (
            lambda caught, false_alarms, rate: caught * rate,
            "that is the share of all images that are anomalies and raise an alarm; divide by the share of all images "
            "that raise one",
        ),
        (
            lambda caught, false_alarms, rate: caught / (caught + false_alarms),
            "how rare anomalies are does not enter your answer: it holds if every second image is one",
        ),
        (
            lambda caught, false_alarms, rate: caught * rate / (caught * rate + false_alarms),
            "only the share 1 - rate of the images is normal and can raise a false alarm",
        ),
        (
            lambda caught, false_alarms, rate: 1 - true_alarms(caught, false_alarms, rate),
            "that is the share of alarms that are false; asked is the share that is true",
        ),
        (
            lambda caught, false_alarms, rate: 100 * true_alarms(caught, false_alarms, rate),
            "you returned per cent; return a share between 0 and 1",
        ),
    ),
    told=(
        (lambda caught, false_alarms, rate: rate, "Count the alarms among 100,000 images"),
        (lambda caught, false_alarms, rate: float("nan"), "you have nan"),
    ),
    hints=(
        "Take 100,000 images. How many of them are anomalies, and how many of these raise an alarm?",
        "How many of the other images raise an alarm, too? Add the two: these are all alarms.",
        "caught * rate are true alarms, false_alarms * (1 - rate) are false ones, as shares of all images.",
    ),
    praise="You have turned p(alarm | anomaly) into p(anomaly | alarm): that is Bayes' rule, which notebook 07 needs.",
)


# --- a walk between two codes ---


class BentAutoencoder(nn.Module):
    """Neither encoder nor decoder is linear, so that mixing codes, images and reconstructions gives different answers.

    Its dropout erases numbers of the code in training mode, as no trained model should when it is used.
    """

    def __init__(self):
        super().__init__()
        down, up, dropout = nn.Linear(784, 3), nn.Linear(3, 784), nn.Dropout(0.5)
        self.encode = Spy(
            "model.encode",
            nn.Sequential(nn.Flatten(), down, nn.Tanh(), dropout),
            {"x": ("B", 1, 28, 28)},
        )
        self.decode = Spy(
            "model.decode", lambda z: torch.sigmoid(6 * up(z)).view(-1, 1, 28, 28), {"z": ("B", 3)}
        )

    def forward(self, x):
        return self.decode(self.encode(x))


def mix(a, b, t):
    t = t.view(-1, *[1] * (a.ndim - 1))
    return (1 - t) * a + t * b


def by_code(model, x_a, x_b, t):
    return model.decode(mix(model.encode(x_a), model.encode(x_b), t))


def walk(mixer=by_code, evaluate=True):
    """A walk through images or codes: `mixer(model, x_a, x_b, t)` with t of shape (steps, 1)."""

    @torch.no_grad()
    def answer(model, x_a, x_b, steps):
        return mixer(model.train(not evaluate), x_a, x_b, torch.linspace(0, 1, steps)[:, None])

    return answer


def in_place_of_t(change):
    return walk(lambda model, x_a, x_b, t: by_code(model, x_a, x_b, change(t)))


exercise(
    "walk_between",
    objective="walk between two images in the space of codes, in eval mode and without gradients",
    level=2,
    points=3,
    given=lambda: [(BentAutoencoder(), *torch.rand(2, 1, 1, 28, 28).round(), 5)],
    solution=walk(),
    also_right=(walk(lambda model, x_a, x_b, t: by_code(model, x_a.double(), x_b.double(), t.double())),),
    compare=Tensor("one tensor (steps, 1, 28, 28), with torch.cat(...) if need be", gradient=False),
    otherwise="Image k belongs to t = k / (steps - 1), with the code (1 - t) · z_a + t · z_b.",
    mistakes=(
        (
            walk(evaluate=False),
            "the model was still in training mode, where its dropout erases numbers of the code: call model.eval()",
            lambda call: any(call.arguments[0].encode.modes),
        ),
        (in_place_of_t(lambda t: t.flip(0)), "your walk runs backwards: the first image belongs to x_a"),
        (
            walk(lambda model, x_a, x_b, t: mix(x_a, x_b, t)),
            "you mixed the images pixel by pixel; mix their codes",
        ),
        (
            walk(lambda model, x_a, x_b, t: model(mix(x_a, x_b, t))),
            "you mixed the images, then encoded the mixtures: encode first, then mix",
        ),
        (
            walk(lambda model, x_a, x_b, t: mix(model(x_a), model(x_b), t)),
            "you mixed the two reconstructions pixel by pixel; mix the codes",
        ),
        (in_place_of_t(lambda t: 0.8 * t), "your walk stops short of x_b, which belongs to t = 1"),
        (in_place_of_t(lambda t: 1 / 6 + t * 2 / 3), "your walk leaves out both ends, t = 0 and t = 1"),
        (
            walk(lambda model, x_a, x_b, t: model.decode(model.encode(x_a) + t * model.encode(x_b))),
            "you kept all of z_a and added t · z_b: the weights are 1 - t and t",
        ),
    ),
    told=(
        (in_place_of_t(torch.square), "Image k belongs to t = k / (steps - 1)"),
        (
            lambda model, x_a, x_b, steps: by_code(
                model.eval(), x_a, x_b, torch.linspace(0, 1, steps)[:, None]
            ),
            "carries a gradient",
        ),
        (walk(lambda *all_: list(by_code(*all_))), "one tensor (steps, 1, 28, 28), with torch.cat"),
        (
            walk(lambda *all_: by_code(*all_)[1:]),
            "has shape (4, 1, 28, 28), right is (5, 1, 28, 28)",
        ),
        (
            walk(lambda model, x_a, x_b, t: by_code(model, x_a[0], x_b[0], t)),
            "model.encode takes x (B, 1, 28, 28)",
        ),
        (walk(lambda model, x_a, x_b, t: model.decode(model.encode(x_a)[0])), "model.decode takes z (B, 3)"),
        (walk(lambda *all_: by_code(*all_).numpy()), "returned a ndarray"),
    ),
    hints=(
        "Encode both images, mix the two codes at each step, decode. Nothing is mixed in pixels.",
        "t = torch.linspace(0, 1, steps)[:, None] has shape (steps, 1); (1 - t) * z_a + t * z_b has shape (steps, n).",
        "model.eval(), then inside torch.no_grad(): return model.decode((1 - t) * z_a + t * z_b).",
    ),
    praise="The codes are mixed, not the images, and all steps can be decoded as one batch.",
)


# --- a search for a code ---


def searched(loss, forget=True, start=lambda z: z):
    """Gradient descent on the code; `loss(x_hat, x, known)`, and whether old gradients are forgotten."""

    def answer(decode, z, x, known, steps, rate):
        z = start(z).detach().clone().requires_grad_()
        optimizer = torch.optim.SGD([z], lr=rate)
        for _ in range(steps):
            if forget:
                optimizer.zero_grad()
            loss(decode(z), x, known).backward()
            optimizer.step()
        return z.detach()

    return answer


def known_error(x_hat, x, known):
    return ((x_hat - x) * known).square().sum()


def by_hand(decode, z, x, known, steps, rate):
    for _ in range(steps):
        z = z.detach().requires_grad_()
        z = z - rate * torch.autograd.grad(known_error(decode(z), x, known), z)[0]
    return z.detach()


def searching_cases():
    up = nn.Linear(3, 784).requires_grad_(False)
    decode = Spy("decode", lambda z: torch.sigmoid(3 * up(z)).view(-1, 1, 28, 28), {"z": ("B", 3)})
    known = torch.ones(1, 1, 28, 28)
    known[..., 9:19, 9:19] = 0
    return [(decode, torch.randn(2, 3), torch.rand(2, 1, 28, 28).round(), known, 6, 2e-3)]


exercise(
    "search_for_code",
    objective="find what is wrong with a gradient descent on a code",
    level=3,
    points=4,
    given=searching_cases,
    solution=searched(known_error),
    also_right=(by_hand,),
    compare=Tensor("the code that was found, a tensor of the shape of z", gradient=False),
    otherwise="Take `steps` steps of plain gradient descent, with the summed squared error over the known pixels.",
    mistakes=(
        (
            lambda decode, z, x, known, steps, rate: z,
            "the code is where it started: the optimiser must hold the very tensor that decode is given",
        ),
        (
            searched(lambda x_hat, x, known: (x_hat - x * known).square().sum()),
            "your loss takes the hole for black pixels: leave the unknown pixels out of the difference",
        ),
        (
            searched(lambda x_hat, x, known: (x_hat - x).square().sum()),
            "your loss compares all pixels, so that the search has seen what is in the hole",
        ),
        (
            searched(known_error, forget=False),
            "gradients of earlier steps are still added up: call optimizer.zero_grad() in every step",
        ),
        (
            searched(lambda x_hat, x, known: known_error(x_hat, x, known) / x_hat.numel()),
            "your loss is averaged over pixels, so that the steps are far too short: add up",
        ),
        (
            searched(lambda x_hat, x, known: -known_error(x_hat, x, known)),
            "your steps lead uphill: the error grows",
        ),
    ),
    told=(
        (lambda decode, z, x, known, steps, rate: decode(z), "right is (2, 3)"),
        (searched(known_error, start=torch.zeros_like), "Take `steps` steps of plain gradient descent"),
        (
            lambda *arguments: searched(known_error)(*arguments).requires_grad_(),
            "carries a gradient",
        ),
        (
            lambda decode, z, x, known, steps, rate: searched(known_error)(decode, z[0], x, known, 1, rate),
            "decode takes z (B, 3)",
        ),
    ),
    hints=(
        "Three lines are wrong. Begin with the first two: which tensor does the optimiser change, which is decoded?",
        "What does the loss compare inside the hole? And what does backward() do to a gradient that is there already?",
        "z first, then the optimiser; ((decode(z) - x) * known).square().sum(); zero_grad() before backward().",
    ),
    praise="A code is a tensor like a weight: whatever has a gradient can be searched for.",
)
