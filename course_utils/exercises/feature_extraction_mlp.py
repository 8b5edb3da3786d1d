"""Exercises of notebook 01: counting parameters, one training step, freezing an extractor, a broken fine-tuning."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parameters_to_vector

from course_utils.exercises.compare import Instance, Number, Whole
from course_utils.exercises.engine import exercise

# --- counting parameters ---


def half_frozen():
    """Nested, as the digit network is, so that its outermost layers hold only a part of its parameters."""
    extractor = nn.Sequential(nn.Linear(7, 5), nn.BatchNorm1d(5), nn.ReLU())
    extractor[0].requires_grad_(False)
    return [(nn.Sequential(extractor, nn.Linear(5, 3)),)]


def count(tensors):
    return sum(tensor.numel() for tensor in tensors)


def of_outermost_layers(model):
    return sum(layer.weight.numel() + layer.bias.numel() for layer in model if hasattr(layer, "weight"))


exercise(
    "count_parameters",
    objective="count the weights and biases of any network, frozen or not",
    given=half_frozen,
    solution=lambda model: count(model.parameters()),
    also_right=(
        lambda model: sum(torch.tensor(p.shape).prod() for p in model.parameters()),
        lambda model: len(parameters_to_vector(model.parameters())),
    ),
    compare=Whole(
        "one whole number", "your number is right, but of type float: a count is a whole number, an int."
    ),
    describe=lambda model: "for a test network",
    otherwise="Each parameter counts once, the weights as well as the biases.",
    mistakes=(
        (
            lambda model: len(list(model.parameters())),
            "you counted the tensors: count the numbers in each of them",
        ),
        (
            of_outermost_layers,
            "you looked only at the outermost layers, and a part of this network is a network itself: "
            "model.parameters() goes through all of them",
        ),
        (
            lambda model: count(p for p in model.parameters() if p.requires_grad),
            "you left out the parameters that are frozen; they are parameters of the network all the same",
        ),
        (
            lambda model: count(p for name, p in model.named_parameters() if "bias" not in name),
            "you left out the biases",
        ),
        (
            lambda model: count(model.state_dict().values()),
            "you counted the buffers as well (the running mean and variance of the batch normalisation), which no "
            "optimiser changes: use model.parameters(), not model.state_dict()",
        ),
        (
            lambda model: sum(sum(p.shape) for p in model.parameters()),
            "you added the sides of each tensor; a tensor of shape (5, 7) holds 5 × 7 numbers, not 5 + 7",
        ),
    ),
    told=(
        (
            lambda model: count(p for p in model.parameters() if p.ndim > 1),
            "the weights as well as the biases",
        ),
        (lambda model: float(count(model.parameters())), "a count is a whole number"),
        (lambda model: [p.numel() for p in model.parameters()], "return one whole number"),
    ),
    hints=(
        "model.parameters() gives every tensor of weights and every tensor of biases.",
        "tensor.numel() is the number of numbers in a tensor: sum it over the parameters.",
    ),
    praise="You can now say how large a network is, and compare two of them fairly.",
)


# --- one training step ---


class WatchedSGD(torch.optim.SGD):
    """An optimiser that notes in which order it is called and gradients arrive, and the weights after each step."""

    def __init__(self, network):
        super().__init__(network.parameters(), lr=0.5)
        self.events: list[str] = []
        self.weights = [parameters_to_vector(network.parameters()).detach()]
        network[0].weight.register_hook(lambda gradient: self.events.append("backward"))

    def step(self, closure=None):
        loss = super().step(closure)  # a closure computes the gradients: it comes before the step itself
        self.events.append("step")
        self.weights.append(parameters_to_vector(self.param_groups[0]["params"]).detach())
        return loss

    def zero_grad(self, set_to_none=True):
        self.events.append("zero_grad")
        super().zero_grad(set_to_none)


def two_steps():
    """Two calls on one network, so that the gradients of the first are still there in the second."""
    network = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4))
    optimizer = WatchedSGD(network)
    x, y = torch.randn(12, 3), torch.arange(12) % 4
    return [(network, optimizer, x.clone(), y.clone()) for _ in range(2)]


def step_in_order(order, loss_of=F.cross_entropy):
    """An answer that calls zero_grad, backward and step (z, b, s) in this order."""

    def answer(network, optimizer, x, y):
        loss = loss_of(network(x), y)
        calls = {"z": optimizer.zero_grad, "b": loss.backward, "s": optimizer.step}
        for letter in order:
            calls[letter]()
        return loss

    return answer


take_step = step_in_order("zbs")


def network_erases(network, optimizer, x, y):
    network.zero_grad()
    return step_in_order("bs")(network, optimizer, x, y).item()


def step_with_a_closure(network, optimizer, x, y):
    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(network(x), y)
        loss.backward()
        return loss

    return optimizer.step(closure)


def accuracy_after(network, optimizer, x, y):
    take_step(network, optimizer, x, y)
    return (network(x).argmax(dim=1) == y).float().mean()


def two_at_once(network, optimizer, x, y):
    loss = take_step(network, optimizer, x, y)
    take_step(network, optimizer, x, y)
    return loss


def on_twice_the_loss(network, optimizer, x, y):
    loss = F.cross_entropy(network(x), y)
    optimizer.zero_grad()
    (2 * loss).backward()
    optimizer.step()
    return loss


def optimizer_of(call):
    return call.arguments[0][1]


def events_of(call):
    return optimizer_of(call).events


def moved(call, step):
    """How far the weights moved in a step (0 or 1), and how far they should, as vectors."""
    weights, right = optimizer_of(call).weights, optimizer_of(call.solved).weights
    return weights[step + 1] - weights[step], right[step + 1] - right[step]


def times_too_far(call, step):
    got, right = moved(call, step)
    return f"{got.norm() / right.norm():.2f}"


def is_off(call, step):
    """Whether the weights moved wrongly in a step, although the loss of the first call is right."""
    has_right_loss = call.exercise.compare.each.same(call.result[0], call.expected[0])
    return has_right_loss and not torch.allclose(*moved(call, step), atol=1e-6)


exercise(
    "training_step",
    objective="write one training step from memory",
    given=two_steps,
    together=True,
    solution=take_step,
    also_right=(step_in_order("bsz"), network_erases, step_with_a_closure),
    compare=Number("the loss, one number"),
    otherwise="It is F.cross_entropy(network(x), y), measured before the step.",
    mistakes=(
        (
            step_in_order("zs"),
            "no gradient was computed: after the loss, call loss.backward(), which gives each weight its own",
            lambda call: "backward" not in events_of(call),
        ),
        (
            step_in_order("zb"),
            "the gradients are there, but no weight moved: optimizer.step() is missing",
            lambda call: "step" not in events_of(call),
        ),
        (
            step_in_order("zsb"),
            "you call optimizer.step() before loss.backward(): the step was taken without the gradients of this "
            "minibatch, and the first call moved no weight",
            lambda call: events_of(call).index("step") < events_of(call).index("backward"),
        ),
        (
            step_in_order("bzs"),
            "backward() and step() are both there, yet no weight moved: zero_grad() stands between them and erases the "
            "gradients that the step needs",
            lambda call: not moved(call, 0)[0].any(),
        ),
        (
            step_in_order("zbs", lambda logits, y: F.cross_entropy(logits.softmax(dim=1), y)),
            "you applied softmax before cross_entropy, which applies it itself: give it the logits",
        ),
        (
            step_in_order("zbs", lambda logits, y: F.cross_entropy(logits, y, reduction="sum")),
            "your loss is the sum over the minibatch, 12 times the mean, and so is the length of the step",
        ),
        (
            two_at_once,
            lambda call: f"two calls take {events_of(call).count('step')} steps: take exactly one in each",
            lambda call: events_of(call).count("step") != 2,
        ),
        (
            on_twice_the_loss,
            lambda call: (
                f"the weights moved {times_too_far(call, 0)} times as far as one step should move them, or in another "
                "direction: compute the gradients of this one loss, and take one step with them"
            ),
            lambda call: is_off(call, 0),
        ),
        (
            step_in_order("bs"),
            lambda call: (
                f"the first call is right, but the second moves the weights {times_too_far(call, 1)} times as far as "
                "it should: the gradients of the first call are still there, and backward() adds to them. Erase them "
                "with optimizer.zero_grad() before backward()"
            ),
            lambda call: is_off(call, 1),
        ),
    ),
    told=(
        (lambda *given: [take_step(*given)].clear(), "your function returned nothing"),
        (accuracy_after, "measured before the step"),
        (lambda *given: str(take_step(*given)), "return the loss, one number; your function returned a str"),
    ),
    hints=(
        "Four things happen: the loss, the old gradients erased, the new gradients, the step.",
        "loss = F.cross_entropy(network(x), y); then optimizer.zero_grad(), loss.backward() and optimizer.step().",
    ),
    praise="These lines train every network of this course, the largest ones included.",
)


# --- freezing an extractor ---


def two_layers_and_a_head():
    """Its first layer has no weights, as in the digit network: to freeze a layer by its place is not enough."""
    extractor = nn.Sequential(nn.Flatten(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3), nn.ReLU())
    return nn.Sequential(extractor, nn.Linear(3, 2))


def freeze(network):
    network[0].requires_grad_(False)
    return list(network[1].parameters())


def freezing(act, returned=lambda network: list(network[1].parameters())):
    """An answer that does something to the network, and returns parameters."""

    def answer(network):
        act(network)
        return returned(network)

    return answer


def one_by_one(network):
    for parameter in network[0].parameters():
        parameter.requires_grad = False


@torch.no_grad()
def run_without_gradients(network):
    network[0](torch.zeros(1, 4))


def switch_gradients_off(network):
    torch.set_grad_enabled(False)
    freeze(network)


def replace_the_head(network):
    network[1] = nn.Linear(3, 2)
    freeze(network)


def is_head_replaced(call):
    """Whether the head is another one, or its numbers are others."""
    heads = [list(network[1].parameters()) for network in (call.arguments[0], call.untouched[0])]
    return len(heads[0]) != len(heads[1]) or not all(torch.equal(a, b) for a, b in zip(*heads))


def frozen(call, part):
    """Of the extractor (part 0) or the head (part 1): whether each tensor is frozen."""
    return [not parameter.requires_grad for parameter in call.arguments[0][part].parameters()]


def returned_from(call, part):
    """How many of the tensors of the extractor (part 0) or the head (part 1) were returned."""
    returned = {id(parameter) for parameter in call.result}
    return sum(id(parameter) in returned for parameter in call.arguments[0][part].parameters())


exercise(
    "freeze_extractor",
    objective="freeze a part of a network, and hand only the rest to the optimiser",
    level=2,
    points=2,
    given=lambda: [(two_layers_and_a_head(),)],
    solution=freeze,
    also_right=(freezing(one_by_one), freezing(freeze, lambda network: network[1].parameters())),
    compare=Instance("the list of the head's parameters, which the optimiser gets", (list, tuple, set)),
    mistakes=(
        (
            freezing(replace_the_head),
            "network[1] is not the head that you were given: leave it in its place as it is, and return its parameters",
            is_head_replaced,
        ),
        (
            freezing(lambda network: network.requires_grad_(False)),
            "the extractor is frozen, but the head is too: nothing is left to learn the new task. Freeze network[0] "
            "only",
            lambda call: all(frozen(call, 0)) and any(frozen(call, 1)),
        ),
        (
            freezing(lambda network: network[1].requires_grad_(False)),
            "you froze the head and not the extractor; it is the other way round: freeze network[0]",
            lambda call: any(frozen(call, 1)),
        ),
        (
            freezing(lambda network: network[0][1].requires_grad_(False)),
            lambda call: (
                f"only {sum(frozen(call, 0))} of the extractor's {len(frozen(call, 0))} tensors are frozen: take the "
                "weights and the biases of all its layers"
            ),
            lambda call: any(frozen(call, 0)) and not all(frozen(call, 0)),
        ),
        (
            freezing(lambda network: setattr(network[0], "requires_grad", False)),
            "you set requires_grad on the module, where it is only a new attribute that nobody reads: set it on each "
            "parameter, or call the module's method requires_grad_(False)",
            lambda call: not any(frozen(call, 0)) and "requires_grad" in vars(call.arguments[0][0]),
        ),
        (
            freezing(lambda network: network[0].eval()),
            "eval() does not freeze: it changes how dropout and batch normalisation behave, and the extractor's "
            "weights still have requires_grad=True. Switch that off for each parameter",
            lambda call: not any(frozen(call, 0)) and not call.arguments[0][0].training,
        ),
        *(
            (
                freezing(act),
                "all of the extractor's weights still have requires_grad=True. Either you froze only its first layer, "
                "network[0][0], which has no weights, or you used a `with torch.no_grad()` block, which leaves no mark "
                "on them: switch requires_grad off for each parameter of network[0]",
                lambda call: not any(frozen(call, 0)),
            )
            for act in (run_without_gradients, lambda network: network[0][0].requires_grad_(False))
        ),
        (
            freezing(freeze, lambda network: list(network.parameters())),
            "the extractor is frozen as it should be, but the list that you returned still contains its parameters: "
            "return those of the head alone",
            lambda call: returned_from(call, 0) > 0,
        ),
        (
            freezing(freeze, lambda network: [network[1].weight]),
            lambda call: (
                f"the list that you returned lacks {2 - returned_from(call, 1)} of the head's 2 tensors, weights and "
                "biases"
            ),
            lambda call: returned_from(call, 1) < 2,
        ),
        (
            freezing(switch_gradients_off),
            "you switched gradients off everywhere, so the head cannot learn either",
            lambda call: not call.gradients_on,
        ),
    ),
    told=(
        (freezing(freeze, lambda network: network[1]), "returned a Linear; return the list of the head's"),
        (
            freezing(freeze, lambda network: network[1].weight),
            "returned a tensor of shape (2, 3); return the list",
        ),
    ),
    hints=(
        "network[0] is the extractor, network[1] the head; each parameter has its own switch, requires_grad.",
        "Loop over network[0].parameters() and call requires_grad_(False) on each, then return "
        "list(network[1].parameters()).",
    ),
    praise="The extractor is now a fixed measuring device, and only the head learns.",
)


# --- a broken fine-tuning ---


def two_minibatches():
    network = nn.Sequential(nn.Sequential(nn.Linear(4, 6), nn.Tanh()), nn.Linear(6, 2))
    batches = [(torch.randn(9, 4), torch.arange(9) % 3) for _ in range(3)]
    return [(network, nn.Linear(6, 3), batches, 0.5)]


def fine_tuned(loss_of=F.cross_entropy, early=False, only_head=False, forget=True):
    """An answer: the optimiser is made `early`, before the new head is in place, or gets the new head only."""

    def answer(network, new_head, batches, rate):
        old = list(network.parameters())
        network[1] = new_head
        trained = old if early else new_head.parameters() if only_head else network.parameters()
        optimizer = torch.optim.SGD(trained, lr=rate)
        for x, y in batches:
            loss = loss_of(network(x), y)
            if forget:
                network.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()

    return answer


def on_a_network_of_its_own(network, new_head, batches, rate):
    return fine_tuned()(nn.Sequential(network[0], network[1]), new_head, batches, rate)


@torch.no_grad()
def is_fine_tuned(call):
    """Whether the network that was handed over is now the one that the loss belongs to."""
    x = call.arguments[2][0][0]
    outputs, right = call.arguments[0](x), call.solved.arguments[0](x)
    return outputs.shape == right.shape and torch.allclose(outputs, right, atol=1e-4)


def of_probabilities(logits, y):
    return F.cross_entropy(logits.softmax(dim=1), y)


exercise(
    "mended_fine_tuning",
    objective="find what is wrong with a fine-tuning that runs without an error",
    level=3,
    points=3,
    given=two_minibatches,
    solution=fine_tuned(),
    also_right=(lambda *given: torch.tensor(fine_tuned()(*given)),),
    compare=Number("the loss of the last minibatch, one number"),
    otherwise="Change only what is wrong: plain SGD, one step for each minibatch.",
    mistakes=(
        (
            fine_tuned(of_probabilities, early=True),
            "nothing has changed for the loss: it still behaves as in the broken version",
        ),
        (
            fine_tuned(early=True),
            "the loss is mended, but one part of the network never moves: which tensors does the optimiser hold?",
        ),
        (
            fine_tuned(of_probabilities),
            "the optimiser is mended, but F.cross_entropy still gets what it does not expect: it takes logits",
        ),
        (
            fine_tuned(only_head=True),
            "only the new head is trained: fine-tuning moves the extractor too",
        ),
        (
            fine_tuned(forget=False),
            "the gradients of earlier minibatches are still added up: erase them before each backward()",
        ),
        (
            on_a_network_of_its_own,
            "the loss is right, but `network` is not the network that you trained, and whoever uses it next finds the "
            "old head in it: put the new head into its place, network[1], and train `network`",
            lambda call: call.right and not is_fine_tuned(call),
        ),
    ),
    told=(
        (lambda *given: 2 * fine_tuned()(*given), "Change only what is wrong"),
        (lambda network, *given: network, "return the loss of the last minibatch"),
    ),
    hints=(
        "Compare all tensors before and after: which of them never move?",
        "There are two faults: one in what the optimiser holds, one in what the loss is given.",
    ),
    praise="Neither fault raises an error, so only a comparison of what moved and of the loss finds them.",
)
