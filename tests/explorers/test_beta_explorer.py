"""The slider over beta, driven by setting the values of its controls."""

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils.explorers.beta_explorer import HEIGHT, LEFT, ROWS, SIDE, WIDTH, BetaExplorer
from course_utils.models import VAE
from course_utils.probability import gaussian_kl


def model(seed, latent_size=3):
    torch.manual_seed(seed)
    return VAE(latent_size, hidden_size=8)


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (12, 28, 28), generator=generator, dtype=torch.uint8)


@pytest.fixture
def models():
    return {10.0: model(2), 0.1: model(0), 1.0: model(1)}


@pytest.fixture
def explorer(models, images):
    return BetaExplorer(models, images)


def test_every_control_changes_the_picture(explorer, controls_change_the_picture):
    changes = [("beta", 10.0), ("beta", 0.1), ("first", 3)]
    assert controls_change_the_picture(explorer, changes)


def test_it_starts_at_the_beta_next_to_1_and_offers_all_in_order(explorer):
    assert explorer.controls["beta"].value == 1.0
    assert [value for _, value in explorer.controls["beta"].options] == [0.1, 1.0, 10.0]


def test_rate_and_distortion_are_those_of_the_models(explorer, models, images):
    x = torch.from_numpy(explorer.x)[:, None] / 255
    assert set(x.unique().tolist()) == {0.0, 1.0}
    with torch.no_grad():
        mu, log_var = models[1.0].encode(x)
        # An untrained decoder says about one half everywhere, whatever z is: 784 log 2, a little more or less.
        assert explorer.measures[1.0][1] == pytest.approx(784 * np.log(2), rel=0.02)
    assert explorer.measures[1.0][0] == pytest.approx(gaussian_kl(mu, log_var).mean().item(), rel=1e-5)


def test_the_pictures_are_reconstructions_from_mu_and_samples_of_the_same_z(images):
    explorer = BetaExplorer({0.5: model(1), 2.0: model(1)}, images)
    assert np.array_equal(explorer.samples[0.5], explorer.samples[2.0])
    with torch.no_grad():
        x = torch.from_numpy(explorer.x)[:, None] / 255
        x_hat = model(1).decode(model(1).encode(x)[0]).sigmoid()
    assert np.abs(explorer.reconstructions[2.0] - 255 * x_hat[:, 0].numpy()).max() <= 1


def test_the_shown_images_are_those_asked_for(explorer):
    picture = np.asarray(explorer.draw(beta=1.0, first=4))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    shown = picture[ROWS[0] : ROWS[0] + SIDE, LEFT : LEFT + SIDE, 0]
    enlarged = Image.fromarray(explorer.x[4]).resize((SIDE, SIDE), Image.Resampling.NEAREST)
    assert np.array_equal(shown, enlarged)


def test_the_random_numbers_of_the_notebook_are_left_alone(models, images):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    BetaExplorer(models, images)
    assert torch.equal(torch.rand(3), expected)


def test_one_model_is_enough(images):
    assert BetaExplorer({4.0: model(0)}, images[:6]).error is None


def test_bad_input_is_told_in_a_sentence(models, images):
    with pytest.raises(
        ValueError, match="models must be at least one, all of the same latent_size; got none"
    ):
        BetaExplorer({}, images)
    with pytest.raises(ValueError, match=r"same latent_size; got \[3, 4\]"):
        BetaExplorer({**models, 5.0: model(0, latent_size=4)}, images)
    with pytest.raises(ValueError, match="images must be at least 6; got 5"):
        BetaExplorer(models, images[:5])


def test_a_broken_draw_shows_its_message(explorer):
    explorer.measures.clear()
    explorer.controls["first"].value = 1
    assert explorer.error is not None and type(explorer.error).__name__ in explorer.message.value
