"""The models of the notebooks have the shapes that they promise, and do what their notebooks say of them."""

import pytest
import torch

from course_utils import models


@pytest.mark.parametrize("code_size", [1, 30])
def test_the_mlp_autoencoder_has_the_promised_shapes(code_size):
    torch.manual_seed(0)
    model = models.MLPAutoencoder(code_size, hidden_size=16)
    x = torch.rand(5, 1, 28, 28)
    z = model.encode(x)
    assert z.shape == (5, code_size)
    x_hat = model.decode(100 * z)
    assert x_hat.shape == (5, 1, 28, 28) and x_hat.min() >= 0 and x_hat.max() <= 1
    assert torch.equal(model(x), model.decode(z))


@pytest.mark.parametrize("code_size", [1, 16])
def test_the_convolutional_autoencoder_has_the_promised_shapes(code_size):
    torch.manual_seed(0)
    model = models.ConvAutoencoder(code_size).eval()
    x = torch.rand(5, 1, 28, 28)
    z = model.encode(x)
    assert z.shape == (5, code_size)
    x_hat = model.decode(100 * z)
    assert x_hat.shape == (5, 1, 28, 28) and x_hat.min() >= 0 and x_hat.max() <= 1
    assert torch.equal(model(x), model.decode(z))


@pytest.mark.parametrize("latent_size", [1, 20])
def test_the_vae_has_the_promised_shapes(latent_size):
    torch.manual_seed(0)
    model = models.VAE(latent_size, hidden_size=16)
    x = torch.rand(5, 1, 28, 28).round()
    mu, log_var = model.encode(x)
    assert mu.shape == log_var.shape == (5, model.latent_size) == (5, latent_size)
    assert torch.equal(torch.cat([mu, log_var], dim=1), model.encoder(x))
    # Logits, without a sigmoid: any numbers.
    logits = model.decode(100 * torch.randn(5, latent_size))
    assert logits.shape == (5, 1, 28, 28) and logits.min() < 0 and logits.max() > 1


def test_the_mixture_prior_is_a_density_and_samples_it():
    torch.manual_seed(0)
    prior = models.MixturePrior(latent_size=2, components=3)
    prior.weights = torch.tensor([0.2, 0.5, 0.3])
    prior.means.normal_()
    prior.scale_tril = torch.tensor([[[0.5, 0.0], [0.4, 0.3]]] * 3)
    axis = torch.linspace(-6, 6, 241)
    z = torch.cartesian_prod(axis, axis)
    density = prior.log_prob(z).exp()
    assert density.sum().item() * (axis[1] - axis[0]).item() ** 2 == pytest.approx(1, abs=2e-3)
    # Mean and covariance of samples are those of the density, within five standard errors.
    weights = density / density.sum()
    mean = weights @ z
    covariance = (weights[:, None] * (z - mean)).T @ (z - mean)
    samples = prior.sample(20_000)
    error = (covariance.diagonal() / len(samples)).sqrt()
    assert ((samples.mean(dim=0) - mean).abs() < 5 * error).all()
    assert torch.allclose(torch.cov(samples.T), covariance, atol=0.1)


def test_the_conditional_vae_tells_both_networks_the_label():
    torch.manual_seed(0)
    model = models.ConditionalVAE(latent_size=3, num_classes=10, hidden_size=16)
    x, y, z = torch.rand(5, 1, 28, 28).round(), torch.tensor([3, 0, 9, 1, 1]), torch.randn(5, 3)
    mu, log_var = model.encode(x, y)
    assert mu.shape == log_var.shape == (5, 3) and model.decode(z, y).shape == (5, 1, 28, 28)
    other = (y + 1) % 10
    assert not torch.equal(model.encode(x, other)[0], mu) and not torch.equal(
        model.decode(z, other), model.decode(z, y)
    )
    # No label is a number: exchanging the columns of two labels exchanges what the two labels do.
    swapped = torch.arange(10)
    swapped[[0, 9]] = swapped[[9, 0]]
    before = model.decode(z, torch.full((5,), 9))
    with torch.no_grad():
        model.decoder[0].weight[:, 3:] = model.decoder[0].weight[:, 3:][:, swapped]
    assert torch.allclose(model.decode(z, torch.zeros(5, dtype=torch.int64)), before)


def test_the_conditional_prior_is_a_density_for_each_class_and_samples_it():
    torch.manual_seed(0)
    prior = models.ConditionalPrior(latent_size=2, num_classes=3, components=4)
    prior.weights = torch.rand(3, 4).softmax(dim=1)
    prior.means.normal_()
    prior.lower = torch.tensor([0.5, 0.4, 0.3]).repeat(3, 4, 1)
    axis = torch.linspace(-6, 6, 241)
    z = torch.cartesian_prod(axis, axis)
    for k in range(3):
        density = prior.log_prob(z, torch.full((len(z),), k)).exp()
        assert density.sum().item() * (axis[1] - axis[0]).item() ** 2 == pytest.approx(1, abs=2e-3)
        # Mean and covariance of samples are those of the density, within five standard errors.
        weights = density / density.sum()
        mean = weights @ z
        covariance = (weights[:, None] * (z - mean)).T @ (z - mean)
        samples = prior.sample(torch.full((20_000,), k))
        error = (covariance.diagonal() / len(samples)).sqrt()
        assert ((samples.mean(dim=0) - mean).abs() < 5 * error).all()
        assert torch.allclose(torch.cov(samples.T), covariance, atol=0.1)
    # Rows belong to their own labels.
    few, y = z[:6], torch.tensor([0, 1, 2, 0, 1, 2])
    one_by_one = [prior.log_prob(few[i : i + 1], y[i : i + 1]) for i in range(6)]
    assert torch.allclose(prior.log_prob(few, y), torch.cat(one_by_one))


@pytest.mark.parametrize("num_classes", [3, 10])
def test_the_conditional_gan_has_the_promised_shapes_and_looks_at_the_label(num_classes):
    torch.manual_seed(0)
    G, D = models.ConditionalGenerator(4, num_classes).eval(), models.ConditionalDiscriminator(num_classes)
    assert (G.noise_size, G.num_classes) == (4, num_classes)
    z, y = torch.randn(1, 4).expand(num_classes, 4), torch.arange(num_classes)
    x = G(100 * z, y)
    assert x.shape == (num_classes, 1, 28, 28) and x.min() >= 0 and x.max() <= 1
    assert len(G(z, y).flatten(1).unique(dim=0)) == num_classes
    logits = D(x[:1].expand(num_classes, -1, -1, -1), y)
    assert logits.shape == (num_classes,) and len(logits.unique()) == num_classes


@pytest.mark.parametrize("noise_size", [2, 16])
def test_the_gan_has_the_promised_shapes(noise_size):
    torch.manual_seed(0)
    G, D = models.Generator(noise_size), models.Discriminator()
    assert G.noise_size == noise_size
    x = G.eval()(100 * torch.randn(5, noise_size))
    assert x.shape == (5, 1, 28, 28) and x.min() >= 0 and x.max() <= 1
    assert D(x).shape == (5,) and D(x[:1]).shape == (1,)
