"""Exercises of notebook 03: the best picture without a code, the training loop, a loss that compares wrong pairs."""

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.exercises.compare import Number, Several
from course_utils.exercises.engine import exercise


def pixel_losses(x, x_hat, loss=torch.square):
    """The loss of every pixel, (B, 784)."""
    return loss(x - x_hat).flatten(1)


def squared_error(x, x_hat):
    return pixel_losses(x, x_hat).sum(dim=1).mean()


# --- the smallest loss without a code ---

exercise(
    "loss_without_code",
    objective="derive that the mean minimises the squared error, and that the variances are what is left",
    given=lambda: [(torch.rand(count, 1, 28, 28) * torch.rand(1, 1, 28, 28),) for count in (5, 12)],
    solution=lambda x: x.var(dim=0, correction=0).sum(),
    also_right=(
        lambda x: squared_error(x, x.mean(dim=0)),
        lambda x: (x.double().square().mean(dim=0) - x.double().mean(dim=0).square()).sum().item(),
    ),
    compare=Number("the smallest loss, one number"),
    describe=lambda x: f"for {len(x)} images",
    otherwise="Set the derivative with respect to one pixel of c to zero, and put the solution into the loss.",
    mistakes=(
        (
            lambda x: x.var(dim=0).sum(),
            "your variances divide by B - 1, whereas the loss is an average over B images: use correction=0",
        ),
        (
            lambda x: x.var(dim=0, correction=0).mean(),
            "784 times too small: you averaged over the pixels. Add up over them",
        ),
        (
            lambda x: len(x) * x.var(dim=0, correction=0).sum(),
            "you added up over the images as well: the loss averages over them",
        ),
        (
            lambda x: squared_error(x, 0),
            "that is the loss of a black image, and another image has a smaller one",
        ),
        (
            lambda x: squared_error(x, x.mean()),
            "you draw the same grey at every pixel, but each pixel of c may be chosen by itself",
        ),
        (
            lambda x: squared_error(x, x.median(dim=0).values),
            "you took the median of each pixel, which minimises absolute differences; squares have another minimum",
        ),
        (
            lambda x: x.std(dim=0, correction=0).sum(),
            "you added up standard deviations: squared differences leave variances",
        ),
    ),
    told=(
        (lambda x: x.mean(dim=0), "return the smallest loss, one number; your result is a tensor of shape"),
        (lambda x: 0.5, "put the solution into the loss"),
    ),
    hints=(
        "The pixels do not meet in the loss, so minimise over one pixel of c, a single number, by itself.",
        "The derivative with respect to c_j is the mean over i of -2 (x_ij - c_j), which is zero at its mean.",
        "The mean squared distance from the mean is the variance: x.var(dim=0, correction=0), added up over pixels.",
    ),
    praise="Whatever an autoencoder's code is worth, it has to bring the error below the sum of the pixels' variances.",
)


# --- the training loop ---


def linear_and_batches():
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 3), nn.Linear(3, 784), nn.Unflatten(1, (1, 28, 28)))
    return [
        (model, torch.optim.SGD(model.parameters(), lr=1e-3), [torch.rand(4, 1, 28, 28) for _ in range(4)])
    ]


def loop(order, loss_of=squared_error):
    """A training that calls zero_grad, backward and step (z, b, s) in this order."""

    def answer(model, optimizer, batches):
        losses = []
        for x in batches:
            loss = loss_of(x, model(x))
            calls = {"z": optimizer.zero_grad, "b": loss.backward, "s": optimizer.step}
            for letter in order:
                calls[letter]()
            losses.append(loss.item())
        return losses

    return answer


def measured_afterwards(model, optimizer, batches):
    losses = []
    for x in batches:
        loop("zbs")(model, optimizer, [x])
        losses.append(squared_error(x, model(x)).item())
    return losses


def with_tensors(model, optimizer, batches):
    losses = []
    for x in batches:
        losses.append(squared_error(x, model(x)))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    return tuple(losses)


def without_the_last_step(model, optimizer, batches):
    *earlier, last = batches
    return [*loop("zbs")(model, optimizer, earlier), *loop("zb")(model, optimizer, [last])]


def other_weights(call):
    """Whether the weights after the training are not those that the solution leaves."""
    (own, *_), (right, *_) = call.arguments, call.solved.arguments
    return not all(torch.allclose(p, q, atol=1e-6) for p, q in zip(own.parameters(), right.parameters()))


NOTHING_MOVED = (
    "your losses are those of an untrained model, because no step used a gradient: each minibatch needs zero_grad(), "
    "backward() and step(), in this order"
)

exercise(
    "train_autoencoder",
    objective="write the training loop of an autoencoder from memory",
    level=2,
    points=3,
    given=linear_and_batches,
    solution=loop("zbs"),
    also_right=(loop("bsz"), with_tensors),
    compare=Several("the losses, one for each minibatch", (Number("one loss, a number"),) * 4),
    describe=lambda model, optimizer, batches: "for a small linear model and four minibatches",
    otherwise="Each is the loss of its own minibatch, measured before the step.",
    mistakes=(
        (loop("z"), NOTHING_MOVED),
        (loop("bzs"), NOTHING_MOVED),
        (loop("zsb"), NOTHING_MOVED),
        (
            loop("bs"),
            "you never erase the gradients, so that each step repeats all those before it: call zero_grad() before "
            "backward()",
        ),
        (
            loop("zbs", F.mse_loss),
            "your losses are averaged over the pixels as well, which also makes the steps 784 times smaller: add up "
            "over the pixels",
        ),
        (
            loop("zbs", lambda x, x_hat: pixel_losses(x, x_hat).sum()),
            "your losses are sums over the images of a minibatch, which also makes the steps 4 times larger: average "
            "over the images",
        ),
        (
            loop("zbs", lambda x, x_hat: pixel_losses(x, x_hat, torch.abs).sum(dim=1).mean()),
            "you added up absolute differences: square them",
        ),
        (
            measured_afterwards,
            "you measured each loss after the step: return the one whose gradient was used",
        ),
        (
            without_the_last_step,
            "your losses are right, but the weights at the end are not those after four steps: the last minibatch "
            "needs its step, too",
            lambda call: call.right and other_weights(call),
        ),
    ),
    told=(
        (
            lambda model, optimizer, batches: loop("zbs")(model, optimizer, batches[:1]),
            "return 4 things: the losses",
        ),
        (lambda *given: [2 * loss for loss in loop("zbs")(*given)], "measured before the step"),
    ),
    hints=(
        "The image is its own target: no label appears anywhere.",
        "For each x in batches: loss = squared_error(x, model(x)); then the three lines that train every network.",
        "optimizer.zero_grad(), loss.backward(), optimizer.step(), and losses.append(loss.item()).",
    ),
    praise="This loop trains every autoencoder of the course; the images have taken the place of the labels.",
)


# --- a loss that compares wrong pairs ---


def every_pair(x, x_hat):
    return (x - x_hat).square().sum(dim=(-2, -1)).mean()


exercise(
    "mended_loss",
    objective="find a silent broadcast by what the training settles on",
    level=3,
    points=3,
    given=lambda: [
        (torch.rand(count, 28, 28), torch.rand(count, 1, 28, 28, requires_grad=True)) for count in (6, 1)
    ],
    solution=lambda x, x_hat: squared_error(x.unsqueeze(1), x_hat),
    also_right=(
        lambda x, x_hat: every_pair(x, x_hat.squeeze(1)),
        lambda x, x_hat: (x.flatten(1) - x_hat.flatten(1)).square().sum(dim=1).mean(),
    ),
    compare=Number("one number", gradient=True),
    describe=lambda x, x_hat: f"for {len(x)} images",
    otherwise="Bring both to one shape first; then the loss is the squared error per image.",
    mistakes=(
        (
            every_pair,
            "your loss still compares every image with every reconstruction: (6, 28, 28) minus (6, 1, 28, 28) has the "
            "shape (6, 6, 28, 28). Bring both to one shape first",
        ),
        (
            lambda x, x_hat: F.mse_loss(x_hat[:, 0], x),
            "the pairs are right, but you averaged over the pixels: add up over them",
        ),
        (
            lambda x, x_hat: (x - x_hat[:, 0]).square().sum(),
            "the pairs are right, but you added up over the images: average over them",
        ),
        (
            lambda x, x_hat: (x - x_hat[:1, 0]).square().sum(dim=(1, 2)).mean(),
            "you compare every image with the first reconstruction: each image has its own",
        ),
    ),
    told=(
        (lambda x, x_hat: (x - x_hat[:, 0]).square().sum(dim=(1, 2)), "return one number; your result is"),
        (lambda x, x_hat: every_pair(x, x_hat.squeeze(1)).item(), "as a tensor, so that it has gradients"),
        (lambda x, x_hat: 2 * every_pair(x, x_hat.squeeze(1)), "Bring both to one shape first; then"),
    ),
    hints=(
        "Print the shape of x - x_hat for five images.",
        "Missing dimensions are added on the left: (5, 28, 28) counts as (1, 5, 28, 28) beside (5, 1, 28, 28).",
        "x.unsqueeze(1) has the shape (5, 1, 28, 28).",
    ),
    praise="An error that stops at that of the mean image says that the code is not used, and here is one reason why.",
)
