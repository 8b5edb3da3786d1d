"""What ships is rounded to float16, and measured after that."""

import pytest
import torch

from course_utils.checkpoints import read
from course_utils.data import load_images
from course_utils.models import MLPAutoencoder
from workshop import ship as shipping


def test_a_model_is_rounded_before_it_is_measured_and_written(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(shipping, "SHIPPED", tmp_path)
    monkeypatch.setitem(
        shipping.MEASURES, "squared_error", lambda model, data: seen.append(weights(model)) or 7.00004
    )
    model = MLPAutoencoder(4)
    exact = weights(model)
    shipping.ship(
        "mlp_autoencoder", model, load_images("strokes"), {"code_size": 4}, seed=3, steps=5, seconds=1.23
    )
    shipped, manifest = read(tmp_path / "strokes" / "mlp_autoencoder.safetensors")
    assert torch.equal(weights(shipped), exact.half().float()) and torch.equal(seen[0], weights(shipped))
    assert manifest.metrics == {"squared_error": 7.0}
    assert (manifest.seed, manifest.steps, manifest.seconds) == (3, 5, 1.2)


def test_a_model_that_this_machine_has_not_trained_or_that_is_damaged_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(shipping, "own_folder", lambda: tmp_path)
    monkeypatch.setattr("sys.argv", ["ship", "gan"])
    with pytest.raises(SystemExit, match=r"gan.safetensors is missing: run 10_gan with strokes first"):
        shipping.main()
    (tmp_path / "strokes").mkdir()
    (tmp_path / "strokes" / "gan.safetensors").touch()
    with pytest.raises(SystemExit, match=r"gan.safetensors cannot be used"):
        shipping.main()


def weights(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten().clone() for value in model.state_dict().values()])
