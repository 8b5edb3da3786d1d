"""Exercises of notebook 06: a loss with masked inputs, the AUROC by pairs, and a walk between two codes."""

import torch
from torch import nn

from course_utils.exercises.registry import Wrong, call, exercise

SHARE = 0.25


class _Recorder(nn.Module):
    """Keeps what it is given, and answers with a fixed image, so that the loss depends on the target only."""

    def __init__(self, answer: torch.Tensor):
        super().__init__()
        self.answer = answer
        self.seen: list[torch.Tensor] = []
        # A parameter, so that a loss without a path to the model can be told.
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        self.seen.append(x.detach().clone())
        return self.scale * self.answer.expand(len(x), -1, -1, -1)


def _errors(x_hat: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return (x_hat - x).square().flatten(1).sum(dim=1)


@exercise(
    "masking_loss",
    hints=(
        "A mask has the shape of x: 1 where a pixel is kept, 0 where it is erased. Draw it with torch.rand_like(x).",
        "keep = torch.rand_like(x) >= share. Only the model's input is x * keep.",
        "error_per_image(model(x * keep), x).mean()",
    ),
    praise="Damaged input, whole target: the same recipe serves for noise, masks, blur and missing colours.",
)
def check_masking_loss(answer) -> None:
    torch.manual_seed(0)
    x = 0.3 + 0.7 * torch.rand(40, 1, 28, 28)  # no pixel of its own is 0
    model = _Recorder(torch.full((1, 1, 28, 28), 0.6))
    loss = call(answer, model, x.clone(), SHARE)
    if len(model.seen) != 1 or model.seen[0].shape != x.shape:
        shapes = [tuple(seen.shape) for seen in model.seen]
        raise Wrong(
            f"the model was called {len(model.seen)} times with shapes {shapes}; call it once, with all images."
        )
    seen = model.seen[0]
    _diagnose_mask(seen, x)
    if not isinstance(loss, torch.Tensor):
        raise Wrong(
            f"your function returned a {type(loss).__name__}; return the loss as a tensor: no .item()."
        )
    if loss.numel() != 1:
        raise Wrong(f"your loss has shape {tuple(loss.shape)}: average over the images to get one number.")
    _diagnose_loss(loss, model.answer, seen, x)
    if not loss.requires_grad:
        raise Wrong(
            "the number is right, but nothing can be learnt from it: the model was called without gradients."
        )


def _diagnose_mask(seen: torch.Tensor, x: torch.Tensor) -> None:
    erased = seen == 0
    if torch.equal(seen, x):
        raise Wrong("the model was given the whole image: erase pixels of its input.")
    if torch.allclose(seen[~erased], x[~erased] / (1 - SHARE)):
        raise Wrong(
            "F.dropout makes the pixels that it keeps brighter, by 1 / (1 - share): multiply by a mask of your own."
        )
    if not torch.equal(seen[~erased], x[~erased]):
        raise Wrong(
            "pixels that were not erased have changed: they stay as they are, and the erased ones become 0."
        )
    share = erased.float().mean().item()
    if abs(share - (1 - SHARE)) < 0.02:
        raise Wrong(
            f"you kept a share of {1 - share:.2f} and erased {share:.2f} of the pixels: share says how many to erase, "
            "so it is the wrong way round."
        )
    if (erased == erased[:1]).all():
        raise Wrong(
            "all images have the same mask: draw one for every pixel of every image, torch.rand_like(x)."
        )
    whole_images = erased.flatten(1).float().mean(dim=1)
    if ((whole_images == 0) | (whole_images == 1)).all():
        raise Wrong(
            "you erased whole images and left the others alone: draw a random number for every pixel."
        )
    if abs(share - SHARE) > 0.02:
        raise Wrong(f"you erased a share of {share:.2f} of the pixels; share = {SHARE} was asked for.")


def _diagnose_loss(loss: torch.Tensor, x_hat: torch.Tensor, seen: torch.Tensor, x: torch.Tensor) -> None:
    value, erased = loss.item(), (seen == 0).float()
    expected = _errors(x_hat, x)
    mistakes = {
        _errors(
            x_hat, seen
        ).mean(): "your target is masked, too: then the model learns to draw holes. Compare with x",
        _errors(x_hat * erased, x * erased).mean(): (
            "you counted the erased pixels only; the target is the whole image"
        ),
        _errors(x_hat * (1 - erased), x * (1 - erased)).mean(): (
            "you counted the kept pixels only: then nobody asks the model to fill the holes"
        ),
        expected.mean() / 784: "your loss is 784 times too small: you averaged over pixels. Sum over them",
        expected.sum(): f"you added up over the {len(x)} images: average over them",
    }
    if abs(value / expected.mean().item() - 1) < 1e-4:
        return
    for wrong, diagnosis in mistakes.items():
        if abs(value / wrong.item() - 1) < 1e-4:
            raise Wrong(f"{diagnosis}.")
    raise Wrong(
        f"your loss is {value:.3f}, expected {expected.mean():.3f}: the squared error between model(masked x) and x, "
        "summed over pixels and averaged over images."
    )


# One tie (2.0), different numbers of scores, and an order that no mean or threshold gives away.
NORMAL = (1.0, 2.0, 2.5, 9.0, 0.5)
STRANGE = (2.0, 3.0, 4.0)
HIGHER, TIES, PAIRS = 10, 1, 15


@exercise(
    "share_of_pairs",
    hints=(
        "strange[None, :] - normal[:, None] has shape (N, M): the difference of every pair.",
        "Where it is above 0 the strange one scores higher; where it is 0 they tie.",
        "(difference > 0).float().mean() + 0.5 * (difference == 0).float().mean()",
    ),
    praise="That is the AUROC: it is 1 if every stranger scores above every normal image, and 0.5 for a coin.",
)
def check_share_of_pairs(answer) -> None:
    result = call(answer, torch.tensor(NORMAL), torch.tensor(STRANGE))
    if isinstance(result, torch.Tensor) and result.numel() != 1:
        raise Wrong(
            f"your result has shape {tuple(result.shape)}: return one number, the share of all pairs."
        )
    value = float(result)
    expected = (HIGHER + TIES / 2) / PAIRS
    mistakes = {
        1 - expected: "it is the wrong way round: count the pairs in which the *strange* one scores higher",
        HIGHER / PAIRS: "a tie counts nothing in your answer; it should count one half",
        (HIGHER + TIES) / PAIRS: "a tie counts as a win in your answer (>=); it should count one half",
        HIGHER + TIES / 2: "you counted the pairs; divide by their number, N · M",
        100 * expected: "you returned per cent; return a share between 0 and 1",
        1.0: "you compared averages or medians: every pair of one normal and one strange score counts",
    }
    if abs(value - expected) < 1e-5:
        return
    for wrong, diagnosis in mistakes.items():
        if abs(value - wrong) < 1e-5:
            raise Wrong(f"{diagnosis}.")
    raise Wrong(
        f"for the scores {NORMAL} and {STRANGE} you gave {value:.3f}, expected {expected:.3f}: of the {PAIRS} pairs, "
        f"the strange one is higher in {HIGHER}, and {TIES} is a tie."
    )


class _BentAutoencoder(nn.Module):
    """Neither encoder nor decoder is linear, so mixing codes, images and reconstructions gives different answers."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Linear(784, 3), nn.Linear(3, 784)
        self.dropout = nn.Dropout(0.5)

    def encode(self, x):
        if x.ndim != 4 or x.shape[1:] != (1, 28, 28):
            raise Wrong(f"encode was given shape {tuple(x.shape)}, but takes images (B, 1, 28, 28).")
        return self.dropout(torch.tanh(self.down(x.flatten(1))))

    def decode(self, z):
        if z.ndim != 2 or z.shape[1] != 3:
            raise Wrong(f"decode was given shape {tuple(z.shape)}, but takes codes (B, n), here (B, 3).")
        return torch.sigmoid(6 * self.up(z)).view(-1, 1, 28, 28)

    def forward(self, x):
        return self.decode(self.encode(x))


STEPS = 5


@exercise(
    "walk_between",
    hints=(
        "Encode both images, mix the two codes at each step, decode. Nothing is mixed in pixels.",
        "t = torch.linspace(0, 1, steps)[:, None] has shape (steps, 1); mix(z_a, z_b, t) has shape (steps, n).",
        "model.eval(), then inside torch.no_grad(): return model.decode(mix(z_a, z_b, t)).",
    ),
    praise="One batch of mixed codes is one call of the decoder.",
)
def check_walk_between(answer) -> None:
    torch.manual_seed(0)
    model = _BentAutoencoder()
    x_a, x_b = torch.rand(2, 1, 1, 28, 28).round()
    result = call(answer, model.train(), x_a.clone(), x_b.clone(), STEPS)
    model.eval()
    if isinstance(result, (list, tuple)):
        raise Wrong(
            f"your function returned a {type(result).__name__} of images: make it one tensor, torch.cat(...)."
        )
    if not isinstance(result, torch.Tensor):
        raise Wrong(f"your function returned a {type(result).__name__}; return a tensor (steps, 1, 28, 28).")
    if result.shape != (STEPS, 1, 28, 28):
        raise Wrong(
            f"for steps = {STEPS} your result has shape {tuple(result.shape)}, expected ({STEPS}, 1, 28, 28)."
        )
    with torch.no_grad():
        _diagnose_walk(result.detach(), model, x_a, x_b)
    if result.requires_grad:
        raise Wrong("the images are right, but carry a gradient: encode and decode inside torch.no_grad().")


def _diagnose_walk(
    result: torch.Tensor, model: _BentAutoencoder, x_a: torch.Tensor, x_b: torch.Tensor
) -> None:
    def mixed(a, b, t):
        t = t.view(-1, *[1] * (a.ndim - 1))
        return (1 - t) * a + t * b

    t = torch.linspace(0, 1, STEPS)
    z_a, z_b = model.encode(x_a), model.encode(x_b)
    expected = model.decode(mixed(z_a, z_b, t))
    without_end, inside = torch.arange(STEPS) / STEPS, torch.linspace(0, 1, STEPS + 2)[1:-1]
    mistakes = (
        (expected.flip(0), "your walk runs backwards: the first image belongs to x_a"),
        (mixed(x_a, x_b, t), "you mixed the images pixel by pixel; mix their codes"),
        (model(mixed(x_a, x_b, t)), "you mixed the images, then encoded the mixtures: encode first, then mix"),
        (mixed(model(x_a), model(x_b), t), "you mixed the two reconstructions pixel by pixel; mix the codes"),
        (model.decode(mixed(z_a, z_b, without_end)), "your walk stops short of x_b, which belongs to t = 1"),
        (model.decode(mixed(z_a, z_b, inside)), "your walk leaves out both ends, t = 0 and t = 1"),
        (model.decode(z_a + t[:, None] * z_b), "you kept all of z_a and added t · z_b: the weights are 1 - t and t"),
    )  # fmt: skip
    if torch.allclose(result, expected, atol=1e-4):
        return
    for wrong, diagnosis in mistakes:
        if torch.allclose(result, wrong, atol=1e-4):
            raise Wrong(f"{diagnosis}.")
    torch.manual_seed(0)
    if not torch.allclose(result[0], expected[0], atol=1e-4):
        raise Wrong(
            "the first image is not the reconstruction of x_a. If you mixed the codes, the model was still in training "
            "mode, where its dropout erases numbers of the code: call model.eval()."
        )
    raise Wrong(
        "the first image is right, a later one is not: image k belongs to t = k / (steps - 1), with the code "
        "(1 - t) · z_a + t · z_b."
    )
