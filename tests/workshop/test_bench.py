"""The benchmarks: what is compared does the same work, and their lines are kept in a file."""

import dataclasses
import re

import pytest
import torch

from course_utils.data import load_images, to_pixels
from workshop import bench, classic_vae


@pytest.fixture
def data():
    strokes = load_images("strokes")
    return dataclasses.replace(
        strokes, train_images=strokes.train_images[:500], train_labels=strokes.train_labels[:500]
    )


@pytest.fixture
def lines(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "FILE", tmp_path / "bench.txt")
    return lambda: bench.FILE.read_text(encoding="utf-8")


def test_ratios_are_those_to_the_first_variant_and_are_kept(lines):
    waits = {"short": 0.005, "long": 0.02}
    bench.compare("Waiting", {name: lambda s=seconds: bench.time.sleep(s) for name, seconds in waits.items()})
    first, second = re.findall(r"^ +([\d.]+) +[\d.]+  (?:short|long)$", lines(), re.MULTILINE)
    assert float(first) == 1 and float(second) > 1.5


def test_both_losses_of_the_classic_vae_are_minus_the_same_elbo(data):
    x, model = to_pixels(data.train_images[:8]).flatten(1), classic_vae.ClassicVAE()
    values = []
    for loss_of in (classic_vae.loss_on_probabilities, classic_vae.loss_on_logits):
        torch.manual_seed(0)
        values.append(loss_of(model, x).item())
    assert values[0] == pytest.approx(values[1], rel=1e-5)


def test_the_usual_way_and_the_course_see_the_same_pixels(data):
    usual = torch.cat(list(classic_vae.usual_batches(data)))
    resident = torch.cat(list(classic_vae.resident_batches(data, epochs=1)))
    assert torch.allclose(usual.sort(dim=0)[0], resident.sort(dim=0)[0])


def test_both_trainings_lower_the_loss(data):
    torch.manual_seed(0)
    x = to_pixels(data.test_images).flatten(1)
    untrained = classic_vae.loss_on_logits(classic_vae.ClassicVAE(), x).item()
    for training in (classic_vae.usual_training, classic_vae.fast_training):
        _, loss = classic_vae.timed(training, data, seed=0)
        assert loss < untrained


def test_the_products_of_a_step_are_those_of_every_layer(data):
    x = to_pixels(data.train_images[:4])
    model = bench.models.ConvAutoencoder(16)
    model.zero_grad()
    bench.products_of(model, x)()
    layers = (torch.nn.Linear, torch.nn.Conv2d, torch.nn.ConvTranspose2d)
    counted = [layer.weight.grad is not None for layer in model.modules() if isinstance(layer, layers)]
    assert all(counted) and len(counted) >= 6


def test_an_unknown_part_is_named(lines, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["bench", "speed"])
    with pytest.raises(SystemExit):
        bench.main()
    assert (
        "parts must be some of loading, aid, vae, steps, memory, imports, growth, demos, recipes; got speed"
        in capsys.readouterr().err
    )
