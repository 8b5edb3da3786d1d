"""Each classic mistake in the exercises of notebook 01 gets its own diagnosis."""

import pytest
import torch
import torch.nn.functional as F

from course_utils.exercises import check


def said_about(name, answer, capsys) -> str:
    check(name, answer)
    return capsys.readouterr().out


def right_count(model):
    return sum(p.numel() for p in model.parameters())


def right_step(network, optimizer, x, y):
    loss = F.cross_entropy(network(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def step_with_network_zero_grad(network, optimizer, x, y):
    network.zero_grad()
    loss = F.cross_entropy(network(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def right_freeze(network):
    for parameter in network[0].parameters():
        parameter.requires_grad_(False)
    return list(network[1].parameters())


def freeze_whole_module(network):
    network[0].requires_grad_(False)
    return network[1].parameters()


RIGHT = [
    ("count_parameters", right_count),
    ("training_step", right_step),
    ("training_step", step_with_network_zero_grad),
    ("freeze_extractor", right_freeze),
    ("freeze_extractor", freeze_whole_module),
]


def count_without_biases(model):
    return sum(p.numel() for name, p in model.named_parameters() if "bias" not in name)


def step_forgot_zero_grad(network, optimizer, x, y):
    loss = F.cross_entropy(network(x), y)
    loss.backward()
    optimizer.step()
    return loss


def step_before_backward(network, optimizer, x, y):
    loss = F.cross_entropy(network(x), y)
    optimizer.zero_grad()
    optimizer.step()
    loss.backward()
    return loss


def step_erases_gradients(network, optimizer, x, y):
    loss = F.cross_entropy(network(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss


def step_without_step(network, optimizer, x, y):
    loss = F.cross_entropy(network(x), y)
    optimizer.zero_grad()
    loss.backward()
    return loss


def step_without_backward(network, optimizer, x, y):
    loss = F.cross_entropy(network(x), y)
    optimizer.zero_grad()
    optimizer.step()
    return loss


def step_on_probabilities(network, optimizer, x, y):
    loss = F.cross_entropy(network(x).softmax(dim=1), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def step_on_sum(network, optimizer, x, y):
    loss = F.cross_entropy(network(x), y, reduction="sum")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def step_returns_nothing(network, optimizer, x, y):
    right_step(network, optimizer, x, y)


def step_returns_accuracy(network, optimizer, x, y):
    right_step(network, optimizer, x, y)
    return (network(x).argmax(dim=1) == y).float().mean()


def step_twice(network, optimizer, x, y):
    loss = right_step(network, optimizer, x, y)
    right_step(network, optimizer, x, y)
    return loss


def freeze_by_eval(network):
    network[0].eval()
    return list(network[1].parameters())


def freeze_all(network):
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return list(network[1].parameters())


def freeze_head(network):
    for parameter in network[1].parameters():
        parameter.requires_grad_(False)
    return list(network[0].parameters())


def freeze_by_no_grad(network):
    with torch.no_grad():
        network[0](torch.zeros(1, 4))
    return list(network[1].parameters())


def freeze_module_attribute(network):
    network[0].requires_grad = False
    return list(network[1].parameters())


def freeze_only_weights(network):
    network[0][0].weight.requires_grad_(False)
    return list(network[1].parameters())


def freeze_returns_all(network):
    right_freeze(network)
    return list(network.parameters())


def freeze_returns_head(network):
    right_freeze(network)
    return network[1]


def freeze_returns_weight_only(network):
    right_freeze(network)
    return [network[1].weight]


def freeze_switches_gradients_off(network):
    torch.set_grad_enabled(False)
    return right_freeze(network)


MISTAKES = [
    ("count_parameters", lambda m: sum(1 for _ in m.parameters()), "number of tensors"),
    ("count_parameters", lambda m: sum(p.numel() for p in m.parameters() if p.requires_grad), "frozen"),
    (
        "count_parameters",
        lambda m: sum(p.numel() for p in m.parameters() if p.ndim > 1),
        "each parameter counts once",
    ),
    (
        "count_parameters",
        lambda m: sum(p.numel() for n, p in m.named_parameters() if "bias" not in n),
        "biases",
    ),
    ("count_parameters", lambda m: sum(v.numel() for v in m.state_dict().values()), "buffers"),
    ("count_parameters", lambda m: sum(sum(p.shape) for p in m.parameters()), "not 5 + 7"),
    ("count_parameters", lambda m: float(right_count(m)), "whole number"),
    ("training_step", step_forgot_zero_grad, "second moves the weights"),
    ("training_step", step_before_backward, "step() before loss.backward()"),
    ("training_step", step_erases_gradients, "zero_grad() stands between"),
    ("training_step", step_without_step, "step() is missing"),
    ("training_step", step_without_backward, "no gradient was computed"),
    ("training_step", step_on_probabilities, "softmax before cross_entropy"),
    ("training_step", step_on_sum, "12 times the mean"),
    ("training_step", step_returns_nothing, "returned nothing"),
    ("training_step", step_returns_accuracy, "measured before the step"),
    ("training_step", step_twice, "exactly one step"),
    ("freeze_extractor", freeze_by_eval, "eval() does not freeze"),
    ("freeze_extractor", freeze_all, "the head is too"),
    ("freeze_extractor", freeze_head, "the other way round"),
    ("freeze_extractor", freeze_by_no_grad, "leaves no mark"),
    ("freeze_extractor", freeze_module_attribute, "a new attribute"),
    ("freeze_extractor", freeze_only_weights, "only 1 of the extractor's 2"),
    ("freeze_extractor", freeze_returns_all, "still contains its parameters"),
    ("freeze_extractor", freeze_returns_head, "returned Linear"),
    ("freeze_extractor", freeze_returns_weight_only, "lacks 1 of the head's 2"),
    ("freeze_extractor", freeze_switches_gradients_off, "switched gradients off everywhere"),
]


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answers_pass(name, answer, capsys):
    assert said_about(name, answer, capsys).startswith(f"Right ({name}).")


@pytest.mark.parametrize(("name", "answer", "phrase"), MISTAKES)
def test_each_mistake_has_its_own_diagnosis(name, answer, phrase, capsys):
    said = said_about(name, answer, capsys)
    assert said.startswith(f"Not yet ({name}):")
    assert "raised" not in said
    assert phrase in said
    assert torch.is_grad_enabled()


def test_no_two_mistakes_get_the_same_diagnosis(capsys):
    said = [said_about(name, answer, capsys) for name, answer, _ in MISTAKES]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("name", ["count_parameters", "training_step", "freeze_extractor"])
def test_a_stub_is_to_do(name, capsys):
    assert said_about(name, lambda *arguments: None, capsys).startswith(f"To do ({name})")


def test_checks_leave_the_random_numbers_alone(capsys):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    for name, answer in RIGHT:
        check(name, answer)
    assert torch.equal(torch.rand(2), expected)
