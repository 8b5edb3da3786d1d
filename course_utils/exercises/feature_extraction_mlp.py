"""Exercises of 01_feature_extraction_mlp: counting parameters, one training step, freezing an extractor."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.exercises.registry import Wrong, call, exercise


@exercise(
    "count_parameters",
    hints=(
        "model.parameters() gives every tensor of weights and every tensor of biases.",
        "tensor.numel() is the number of numbers in a tensor: sum it over the parameters.",
    ),
    praise="You can now say how large a network is, and compare two of them fairly.",
)
def check_count_parameters(answer) -> None:
    # The notebook's random numbers must not depend on how often a check is run.
    with torch.random.fork_rng():
        model = nn.Sequential(nn.Linear(7, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))
    for parameter in model[0].parameters():
        parameter.requires_grad_(False)
    count = call(answer, model)
    sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
    expected = sum(sizes.values())
    mistakes = {
        len(sizes): "that is the number of tensors; count the numbers in each of them",
        sum(p.numel() for p in model.parameters() if p.requires_grad): (
            "you left out the parameters that are frozen; they are parameters of the network all the same"
        ),
        sum(size for name, size in sizes.items() if "bias" not in name): "you left out the biases",
        sum(value.numel() for value in model.state_dict().values()): (
            "you counted the buffers as well (the running mean and variance of the batch normalisation), "
            "which no optimiser changes: use model.parameters(), not model.state_dict()"
        ),
        sum(sum(p.shape) for p in model.parameters()): (
            "you added the sides of each tensor; a tensor of shape (5, 7) holds 5 × 7 numbers, not 5 + 7"
        ),
    }
    if isinstance(count, bool) or not isinstance(count, int):
        raise Wrong(f"your function must return a whole number (an int); it returned {type(count).__name__}.")
    if count != expected:
        reason = mistakes.get(count, "each parameter counts once, the weights as well as the biases")
        raise Wrong(f"you counted {count} for a test network that has {expected} parameters: {reason}.")


class _WatchedSGD(torch.optim.SGD):
    """An optimiser that notes the order in which it is called, and when gradients arrive."""

    def __init__(self, network: nn.Module, lr: float):
        self.events: list[str] = []
        super().__init__(network.parameters(), lr=lr)
        network[0].weight.register_hook(lambda gradient: self.events.append("backward"))

    def step(self, closure=None):
        self.events.append("step")
        return super().step(closure)

    def zero_grad(self, set_to_none: bool = True):
        self.events.append("zero_grad")
        super().zero_grad(set_to_none)


@exercise(
    "training_step",
    hints=(
        "Four things happen: the loss, the old gradients erased, the new gradients, the step.",
        "loss = F.cross_entropy(network(x), y); then optimizer.zero_grad(), loss.backward() and "
        "optimizer.step().",
    ),
    praise="These lines train every network of this course, the largest ones included.",
)
def check_training_step(answer) -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(12, 3, generator=generator), torch.arange(12) % 4
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4))
    reference = copy.deepcopy(network)
    start = _weights(network)
    optimizer = _WatchedSGD(network, lr=0.5)
    loss = answer(network, optimizer, x, y)
    if loss is None and not optimizer.events:
        raise NotImplementedError
    expected_loss = _reference_step(reference, x, y)
    _diagnose_events(optimizer.events, moved=not torch.equal(_weights(network), start))
    _diagnose_loss(loss, expected_loss, start, x, y)
    _diagnose_distance(_weights(network) - start, _weights(reference) - start)
    before = _weights(network)
    answer(network, optimizer, x, y)
    _reference_step(reference, x, y)
    if not torch.allclose(_weights(network), _weights(reference), atol=1e-6):
        ratio = (_weights(network) - before).norm() / (_weights(reference) - before).norm()
        raise Wrong(
            f"the first call is right, but the second moves the weights {ratio:.1f} times as far as it "
            "should: the gradients of the first call are still there, and backward() adds to them. Erase "
            "them with optimizer.zero_grad() before backward()."
        )


def _weights(network: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def _reference_step(network: nn.Module, x: torch.Tensor, y: torch.Tensor, lr: float = 0.5) -> float:
    loss = F.cross_entropy(network(x), y)
    gradients = torch.autograd.grad(loss, list(network.parameters()))
    with torch.no_grad():
        for parameter, gradient in zip(network.parameters(), gradients, strict=True):
            parameter -= lr * gradient
    return loss.item()


def _diagnose_events(events: list[str], moved: bool) -> None:
    if "backward" not in events:
        raise Wrong(
            "no gradient was computed: after the loss, call loss.backward(), which gives each weight its own."
        )
    if "step" not in events:
        raise Wrong("the gradients are there, but no weight moved: optimizer.step() is missing.")
    if events.index("step") < events.index("backward"):
        raise Wrong(
            "you call optimizer.step() before loss.backward(): the step was taken without the gradients of "
            "this minibatch, and the first call moved no weight."
        )
    if not moved:
        raise Wrong(
            "backward() and step() are both there, yet no weight moved: zero_grad() stands between them and "
            "erases the gradients that the step needs."
        )


def _diagnose_loss(loss, expected: float, start: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> None:
    if loss is None:
        raise Wrong("the weights moved, but your function returned nothing: return the loss, to be drawn.")
    if not isinstance(loss, (float, torch.Tensor)) or torch.as_tensor(loss).numel() != 1:
        raise Wrong(f"return the loss, a single number; your function returned {type(loss).__name__}.")
    value = torch.as_tensor(loss).item()
    if abs(value - expected) < 1e-5:
        return
    with torch.random.fork_rng():
        network = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4))
    nn.utils.vector_to_parameters(start, network.parameters())
    logits = network(x).detach()
    mistakes = {
        F.cross_entropy(logits.softmax(dim=1), y).item(): (
            "you applied softmax before cross_entropy, which applies it itself: give it the logits"
        ),
        F.cross_entropy(logits, y, reduction="sum").item(): (
            f"that is the sum over the minibatch, {len(x)} times the mean, and so is the length of the step"
        ),
    }
    for wrong, reason in mistakes.items():
        if abs(value - wrong) < 1e-5:
            raise Wrong(f"the loss is {value:.3f} where {expected:.3f} was expected: {reason}.")
    raise Wrong(
        f"the loss is {value:.3f} where {expected:.3f} was expected: it is F.cross_entropy(network(x), y), "
        "measured before the step."
    )


def _diagnose_distance(moved: torch.Tensor, expected: torch.Tensor) -> None:
    if not torch.allclose(moved, expected, atol=1e-6):
        raise Wrong(
            f"the weights moved {moved.norm() / expected.norm():.2f} times as far as one step should move "
            "them, or in another direction: take exactly one step, on the gradients of this one loss."
        )


@exercise(
    "freeze_extractor",
    hints=(
        "network[0] is the extractor, network[1] the head; each parameter has its own switch, requires_grad.",
        "Loop over network[0].parameters() and call requires_grad_(False) on each, then return "
        "list(network[1].parameters()).",
    ),
    praise="The extractor is now a fixed measuring device, and only the head learns.",
)
def check_freeze_extractor(answer) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), nn.Linear(3, 2))
    extractor, head = network
    returned = call(answer, network)
    _diagnose_switches(extractor, head)
    _diagnose_returned(returned, extractor, head)
    if not torch.is_grad_enabled():
        torch.set_grad_enabled(True)
        raise Wrong("you switched gradients off everywhere, so the head cannot learn either.")


def _diagnose_switches(extractor: nn.Module, head: nn.Module) -> None:
    frozen = [not parameter.requires_grad for parameter in extractor.parameters()]
    head_frozen = [not parameter.requires_grad for parameter in head.parameters()]
    if all(frozen) and any(head_frozen):
        raise Wrong(
            "the extractor is frozen, but the head is too: nothing is left to learn the new task. Freeze "
            "network[0] only."
        )
    if any(head_frozen):
        raise Wrong("you froze the head and not the extractor; it is the other way round: freeze network[0].")
    if all(frozen):
        return
    if any(frozen):
        raise Wrong(
            f"only {sum(frozen)} of the extractor's {len(frozen)} tensors are frozen: take all of them."
        )
    if "requires_grad" in vars(extractor):
        raise Wrong(
            "you set requires_grad on the module, where it is only a new attribute that nobody reads: set it "
            "on each parameter, or call the module's method requires_grad_(False)."
        )
    if not extractor.training:
        raise Wrong(
            "eval() does not freeze: it changes how dropout and batch normalisation behave, and the "
            "extractor's weights still have requires_grad=True. Switch that off for each parameter."
        )
    raise Wrong(
        "the extractor's weights still have requires_grad=True. A `with torch.no_grad()` block ends with the "
        "function and leaves no mark on them: switch requires_grad off for each parameter."
    )


def _diagnose_returned(returned, extractor: nn.Module, head: nn.Module) -> None:
    if isinstance(returned, (nn.Module, torch.Tensor)) or not hasattr(returned, "__iter__"):
        raise Wrong(
            "the extractor is frozen as it should be; now return the list of the head's parameters, which "
            f"the optimiser gets: your function returned {type(returned).__name__}."
        )
    given = {id(parameter) for parameter in returned}
    if given & {id(parameter) for parameter in extractor.parameters()}:
        raise Wrong(
            "the extractor is frozen as it should be, but the list that you returned still contains its "
            "parameters: return those of the head alone."
        )
    missing = len({id(parameter) for parameter in head.parameters()} - given)
    if missing:
        raise Wrong(
            f"the list that you returned lacks {missing} of the head's 2 tensors, weights and biases."
        )
