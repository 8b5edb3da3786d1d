"""The demo of broken rules: each choice of switches trains on from the same start."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.explorers.what_breaks import CHUNK, WhatBreaks


class Generator(nn.Module):
    noise_size, num_classes = 2, 3

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(5, 784)

    def forward(self, z, y):
        return self.layer(torch.cat([z, F.one_hot(y, 3)], dim=1)).sigmoid().view(-1, 1, 28, 28)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(784, 3)

    def forward(self, x, y):
        return self.layer(x.flatten(1)).gather(1, y[:, None])[:, 0]


def update(G, D, optimizer_g, optimizer_d, x, y, detach, zero_grad, matched):
    z, y_fake = torch.randn(len(x), 2), torch.randint(3, (len(x),))
    fakes = G(z, y_fake)
    y = y if matched else y.roll(1)
    loss_d = F.softplus(-D(x, y)).mean() + F.softplus(D(fakes.detach() if detach else fakes, y_fake)).mean()
    if zero_grad:
        optimizer_d.zero_grad()
    loss_d.backward(retain_graph=True)
    optimizer_d.step()
    loss_g = F.softplus(-D(fakes, y_fake)).mean()
    if zero_grad:
        optimizer_g.zero_grad()
    loss_g.backward()
    optimizer_g.step()


def judge(x):
    return torch.stack([x.flatten(1)[:, i] for i in (0, 300, 600)], dim=1).softmax(dim=1)


@pytest.fixture
def networks():
    torch.manual_seed(0)
    return Generator(), Discriminator()


@pytest.fixture
def demo(networks):
    images = torch.randint(
        0, 256, (90, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    return WhatBreaks(*networks, images, torch.arange(90) % 3, update, judge, ("a", "b", "c"))


RULES = {"detach": True, "zero_grad": True, "matched": True}


def test_every_control_changes_the_picture(demo, controls_change_the_picture):
    changes = [("steps", 2 * CHUNK), ("zero_grad", False), ("detach", False), ("matched", False)]
    assert controls_change_the_picture(demo, changes)


def test_with_all_rules_the_gradients_are_the_right_ones(demo):
    assert demo.frame(**RULES, steps=CHUNK).followed == {"G": pytest.approx(1), "D": pytest.approx(1)}


def test_detach_alone_changes_nothing(demo):
    right, other = (demo.frame(**RULES | {"detach": on}, steps=CHUNK) for on in (True, False))
    assert (right.images == other.images).all() and other.followed["G"] == pytest.approx(1)


def test_broken_rules_turn_the_gradients_away(demo):
    for rules in ({"zero_grad": False}, {"zero_grad": False, "detach": False}, {"matched": False}):
        assert demo.frame(**RULES | rules, steps=CHUNK).followed["D"] < 0.99
    undetached = demo.frame(detach=False, zero_grad=False, matched=True, steps=CHUNK)
    assert undetached.followed["G"] < 0.9


def test_every_choice_starts_alike_and_leaves_the_given_networks_alone(demo, networks):
    before = [parameter.clone() for network in networks for parameter in network.parameters()]
    choices = [RULES, RULES | {"zero_grad": False}, RULES | {"matched": False}]
    starts = [demo.frame(**rules, steps=0) for rules in choices]
    ends = [demo.frame(**rules, steps=CHUNK) for rules in choices]
    assert all((start.images == starts[0].images).all() for start in starts)
    assert not any((end.images == start.images).all() for start, end in zip(starts, ends))
    after = [parameter for network in networks for parameter in network.parameters()]
    assert all(torch.equal(old, new) for old, new in zip(before, after))


def test_looking_again_trains_nothing(demo):
    first = demo.frame(**RULES, steps=2 * CHUNK)
    demo.update_both = None
    assert demo.frame(**RULES, steps=2 * CHUNK) is first
    assert demo.frame(**RULES, steps=CHUNK).fidelity <= 1


@pytest.mark.parametrize("updates_before_the_error", [0, 7, CHUNK, CHUNK + 1])
def test_after_an_error_the_same_steps_give_the_same_pictures(demo, updates_before_the_error):
    expected = demo.frame(**RULES, steps=2 * CHUNK)
    demo.runs.clear()
    left = iter(range(updates_before_the_error))

    def failing_update(*arguments, **rules):
        if next(left, None) is None:
            raise ZeroDivisionError
        update(*arguments, **rules)

    demo.update_both = failing_update
    with pytest.raises(ZeroDivisionError):
        demo.frame(**RULES, steps=2 * CHUNK)
    demo.update_both = update
    again = demo.frame(**RULES, steps=2 * CHUNK)
    assert (again.images == expected.images).all() and again.followed == expected.followed


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8])
def test_labels_of_other_whole_numbers_reach_the_update_as_int64(networks, dtype):
    images = torch.zeros(90, 28, 28, dtype=torch.uint8)
    labels = (torch.arange(90) % 3).to(dtype)
    demo = WhatBreaks(*networks, images, labels, update, judge, ("a", "b", "c"))
    assert demo.error is None


def test_the_random_numbers_of_the_notebook_are_left_alone(demo):
    torch.manual_seed(4)
    expected = torch.rand(2)
    torch.manual_seed(4)
    demo.frame(**RULES, steps=3 * CHUNK)
    assert torch.equal(torch.rand(2), expected)


def test_bad_input_is_told_in_a_sentence(networks):
    images, labels = torch.zeros(4, 28, 28, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"labels must be .* \(4,\); got int64 of shape \(3,\)"):
        WhatBreaks(*networks, images, labels[:3], update, judge, ("a", "b", "c"))
    with pytest.raises(ValueError, match=r"classes must be as many as G\.num_classes; got 1 names for 3"):
        WhatBreaks(*networks, images, labels, update, judge, ("a",))
