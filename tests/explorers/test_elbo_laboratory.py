"""The ELBO laboratory: its bars add up to log p(x), and its picture and buttons do what they should."""

import io
import itertools

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image

from course_utils.explorers.elbo_laboratory import MODELS, ElboLaboratory


@pytest.fixture
def laboratory() -> ElboLaboratory:
    return ElboLaboratory()


def many_values():
    """Every corner of the sliders, and a hundred places between them."""
    corners = itertools.product(
        (-4.0, 4.0), (-3.0, 3.0), (10**-1.3, 10**0.5), (-3.0, 3.0), (10**-1.3, 10**0.5)
    )
    random = np.random.default_rng(0).uniform([-4, -3, 0.06, -3, 0.06], [4, 3, 3.1, 3, 3.1], size=(100, 5))
    names = ("x", "mean_1", "width_1", "mean_2", "width_2")
    for model in MODELS:
        for numbers in (*corners, *random.tolist()):
            yield {"model": model, **dict(zip(names, numbers, strict=True))}


def pixels(laboratory: ElboLaboratory) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(laboratory.picture.value)).convert("RGB"))


def test_the_measures_add_up_to_log_p_x_everywhere(laboratory):
    for values in many_values():
        m = laboratory.measures(**values)
        assert m["reconstruction"] - m["kl"] == pytest.approx(m["elbo"], abs=1e-9)
        assert m["elbo"] + m["gap"] == pytest.approx(m["log_p_x"], abs=1e-8)
        assert m["kl"] >= -1e-12 and m["gap"] >= -1e-9


def test_the_drawn_bars_are_the_measures_and_meet_end_to_end(laboratory):
    for values in list(many_values())[::31]:
        m = laboratory.measures(**values)
        laboratory.draw(**values)
        panel = laboratory.panels[laboratory.models[values["model"]].n]
        bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in panel.bars.bars]
        reconstruction, kl, elbo, gap, log_p_x = bars
        assert reconstruction == pytest.approx((0, m["reconstruction"]))
        assert kl == pytest.approx((m["reconstruction"], m["elbo"]))
        assert elbo == pytest.approx((0, m["elbo"]))
        assert gap == pytest.approx((m["elbo"], m["log_p_x"]))
        assert log_p_x == pytest.approx((0, m["log_p_x"]))
        assert panel.bars.axis.get_xlim()[0] <= min(m["elbo"], m["log_p_x"], m["reconstruction"])


@pytest.mark.parametrize("model", ["one latent", "two latents, one used"])
@pytest.mark.parametrize("x", [-4.0, 0.0, 2.35])
def test_the_best_q_is_the_posterior_and_closes_the_gap(laboratory, model, x):
    laboratory.controls["model"].value = model
    laboratory.controls["x"].value = x
    assert laboratory.measures(**laboratory.values())["gap"] > 0.01
    laboratory.best_button.click()
    m = laboratory.measures(**laboratory.values())
    assert abs(m["gap"]) < 1e-9 and m["elbo"] == pytest.approx(m["log_p_x"], abs=1e-9)
    assert laboratory.error is None


def test_with_a_correlated_posterior_the_best_q_leaves_a_gap_that_no_other_q_beats(laboratory):
    laboratory.controls["model"].value = "two latents, both used"
    laboratory.best_button.click()
    best = laboratory.measures(**laboratory.values())["gap"]
    assert 0.27 < best < 0.28
    for name, factor in itertools.product(("mean_1", "width_1", "mean_2", "width_2"), (0.9, 1.1)):
        values = laboratory.values()
        values[name] *= factor
        assert laboratory.measures(**values)["gap"] > best + 1e-3


def test_at_the_prior_the_kl_is_zero(laboratory):
    for model in MODELS:
        laboratory.controls["model"].value = model
        laboratory.prior_button.click()
        m = laboratory.measures(**laboratory.values())
        assert m["kl"] == 0 and m["elbo"] == m["reconstruction"] < m["log_p_x"]


def test_an_unused_latent_keeps_its_prior_as_posterior(laboratory):
    laboratory.controls["model"].value = "two latents, one used"
    laboratory.best_button.click()
    assert laboratory.controls["mean_2"].value == 0 and laboratory.controls["width_2"].value == pytest.approx(
        1
    )


def test_the_picture_follows_every_slider(laboratory):
    laboratory.controls["model"].value = "two latents, both used"
    for name in ("x", "mean_1", "width_1", "mean_2", "width_2"):
        before = pixels(laboratory)
        laboratory.controls[name].value += 0.3
        after = pixels(laboratory)
        assert after.shape == (350, 880, 3) and laboratory.error is None
        # Both halves move: the curves on the left and the bars on the right.
        left, right = (before != after)[:, :350], (before != after)[:, 560:]
        assert left.any() and right.any()


def test_nothing_of_the_last_picture_stays_behind(laboratory):
    start = pixels(laboratory)
    for name, value in (("mean_1", 2.0), ("x", -4.0), ("width_1", 0.06)):
        before = laboratory.controls[name].value
        laboratory.controls[name].value = value
        assert (pixels(laboratory) != start).any()
        laboratory.controls[name].value = before
    assert (pixels(laboratory) == start).all()


def test_a_model_of_one_latent_hides_the_sliders_of_the_second(laboratory):
    second = [laboratory.controls[name] for name in ("mean_2", "width_2")]
    assert all(slider.layout.display == "none" for slider in second)
    laboratory.controls["model"].value = "two latents, both used"
    assert all(slider.layout.display is None for slider in second)


def test_a_jump_draws_once(laboratory, monkeypatch):
    drawn = []
    draw = laboratory.draw
    monkeypatch.setattr(laboratory, "draw", lambda **values: drawn.append(values) or draw(**values))
    laboratory.controls["model"].value = "two latents, both used"
    laboratory.best_button.click()
    assert len(drawn) == 2


def test_everything_is_reachable_by_keyboard_and_errors_are_shown(laboratory):
    kinds = (ipywidgets.FloatSlider, ipywidgets.FloatLogSlider, ipywidgets.Dropdown)
    assert all(isinstance(control, kinds) for control in laboratory.controls.values())
    laboratory.models = {name: None for name in MODELS}
    laboratory.best_button.click()
    assert (
        isinstance(laboratory.error, AttributeError) and "This demo met an error" in laboratory.message.value
    )


def test_the_numbers_of_the_notebook_stay_untouched():
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    ElboLaboratory().jump_to_best_q()
    assert torch.equal(torch.rand(2), expected)
