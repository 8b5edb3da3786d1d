"""Quality at equal time: public recipes train for their seconds, like is compared with like, no row is missing."""

import dataclasses
import math
from itertools import count

import pytest
import torch

from course_utils import models
from course_utils.data import load_images, to_pixels
from workshop import equal_time, public_recipes
from workshop.classic_vae import ClassicVAE


@pytest.fixture
def data():
    strokes = load_images("strokes")
    return dataclasses.replace(
        strokes, test_images=strokes.test_images[:300], test_labels=strokes.test_labels[:300]
    )


@pytest.fixture
def two_seconds_a_step(monkeypatch):
    """The processor's clock goes on by two seconds whenever it is read, however fast the machine is."""
    clock = count(0, 2)
    monkeypatch.setattr(public_recipes.time, "process_time", lambda: next(clock))


def test_seconds_are_those_of_the_loop_over_the_minibatches(two_seconds_a_step):
    assert len(list(public_recipes.for_seconds(5.0, range(100)))) == 3


@pytest.mark.parametrize("recipe", [public_recipes.pytorch_dcgan, public_recipes.d2l_dcgan])
def test_a_dcgan_draws_pixels_that_come_nearer_to_the_data(recipe, data, two_seconds_a_step):
    drawn = []
    for seconds in (0, 8):  # one step and four
        draw = recipe(data, seconds, seed=0)
        torch.manual_seed(0)
        with torch.no_grad():
            drawn.append(draw(torch.arange(100)))
    first, later = drawn
    assert later.shape == (100, 1, 28, 28)
    assert later.min() >= 0 and later.max() <= 1
    # Most pixels of the data are background.
    assert to_pixels(data.train_images[:100]).mean() < later.mean() < first.mean()


def test_the_conditional_gan_sees_the_label_on_both_sides():
    G, D = public_recipes.keras_networks()
    for net, x in ((G, torch.randn(1, 128)), (D, torch.rand(1, 1, 28, 28))):
        outputs = [net(public_recipes.with_label(x, torch.tensor([k]))) for k in (3, 8)]
        assert not torch.allclose(*outputs)


def test_the_bound_of_a_vae_that_knows_nothing_is_a_bit_a_pixel():
    vae = ClassicVAE()
    for parameter in vae.parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.bernoulli(torch.rand(20, 784))
    assert equal_time.negative_elbo(vae, torch.rand(20, 784), x) == pytest.approx(784 * math.log(2))


def test_the_table_has_a_line_for_each_recipe_and_the_public_ones_have_no_less_time(data, monkeypatch):
    untrained = {
        "vae": models.VAE(20),
        "gan": models.Generator(16).eval(),
        "conditional_gan": models.ConditionalGenerator(16, 10).eval(),
    }
    untrained["vae"].prior = models.MixturePrior(20)
    monkeypatch.setattr(equal_time.scoreboard, "train", lambda name, seed: (untrained[name], {}))
    monkeypatch.setattr(equal_time, "SECONDS", 0.2)
    title, headings, *rows = equal_time.lines(data)
    assert "300 samples" in title and headings == equal_time.HEADINGS
    assert [row[51:] for row in rows] == [
        "VAE of notebook 08, its fitted prior",
        "VAE of notebook 08, N(0, I) as prior",
        "VAE of PyTorch's examples",
        "GAN of notebook 10",
        "DCGAN of PyTorch's examples",
        "DCGAN of Dive into Deep Learning",
        "conditional GAN of notebook 11",
        "Keras' conditional GAN",
    ]
    seconds, fidelity, bounds = ([row.split()[column] for row in rows] for column in (0, 3, 4))
    assert all(float(seconds[place]) >= 0.2 for place in (2, 4, 5, 7))
    assert [value != "-" for value in fidelity] == [False] * 6 + [True] * 2
    assert [value != "-" for value in bounds] == [True] * 3 + [False] * 5
    # A few steps teach PyTorch's VAE more than its untrained neighbour knows.
    assert float(bounds[2]) < float(bounds[1])


def test_a_public_recipe_has_the_seconds_of_the_course_where_they_are_more(data, monkeypatch):
    monkeypatch.setattr(equal_time, "SECONDS", 60)
    given = [equal_time.public(lambda data, seconds, seed: seconds, data, least, 0)[1] for least in (25, 80)]
    assert given == [60, 80]
