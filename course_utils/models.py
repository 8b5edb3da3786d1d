"""The models that later notebooks and judges need, each exactly as its notebook builds it.

`make models` writes this file from the notebooks' cells tagged `model`: change them, never this file.
"""

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal


class MLPAutoencoder(nn.Module):
    """Pixels (B, 1, 28, 28) to codes (B, code_size), and back to pixels in [0, 1]."""

    def __init__(self, code_size, hidden_size=1024):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Flatten(),  # 1 x 28 x 28 => 784
            nn.Linear(784, hidden_size),  # => hidden_size
            nn.GELU(),
            nn.Linear(hidden_size, code_size),  # => code_size
        )
        self.decoder = nn.Sequential(
            nn.Linear(code_size, hidden_size),  # => hidden_size
            nn.GELU(),
            nn.Linear(hidden_size, 784),  # => 784
            nn.Sigmoid(),  # every pixel into [0, 1]
            nn.Unflatten(1, (1, 28, 28)),  # => 1 x 28 x 28
        )

    def encode(self, x):
        return self.encoder(x)

    def decode(self, z):
        return self.decoder(z)

    def forward(self, x):
        return self.decode(self.encode(x))


class ConvAutoencoder(nn.Module):
    """Pixels (B, 1, 28, 28) to codes (B, code_size), and back to pixels in [0, 1]."""

    def __init__(self, code_size):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=4, stride=2, padding=1),  # 1 x 28 x 28 => 16 x 14 x 14
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, kernel_size=4, stride=2, padding=1),  # => 32 x 7 x 7
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Flatten(),  # => 1568
            nn.Linear(1568, code_size),  # => code_size
        )
        self.decoder = nn.Sequential(
            nn.Linear(code_size, 1568),  # => 1568
            nn.ReLU(),
            nn.Unflatten(1, (32, 7, 7)),  # => 32 x 7 x 7
            nn.ConvTranspose2d(32, 16, kernel_size=4, stride=2, padding=1),  # => 16 x 14 x 14
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, kernel_size=4, stride=2, padding=1),  # => 1 x 28 x 28
            nn.Sigmoid(),  # every pixel into [0, 1]
        )

    def encode(self, x):
        return self.encoder(x)

    def decode(self, z):
        return self.decoder(z)

    def forward(self, x):
        return self.decode(self.encode(x))


class SmallAutoencoder(nn.Module):
    """Pixels (B, 1, 28, 28) to codes (B, code_size), and back to pixels in [0, 1]."""

    def __init__(self, code_size=2):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Flatten(),  # 1 x 28 x 28 => 784
            nn.Linear(784, 512),  # => 512
            nn.GELU(),
            nn.Linear(512, 128),  # => 128
            nn.GELU(),
            nn.Linear(128, code_size),  # => code_size
        )
        self.decoder = nn.Sequential(
            nn.Linear(code_size, 128),  # => 128
            nn.GELU(),
            nn.Linear(128, 512),  # => 512
            nn.GELU(),
            nn.Linear(512, 784),  # => 784
            nn.Sigmoid(),  # every pixel into [0, 1]
            nn.Unflatten(1, (1, 28, 28)),  # => 1 x 28 x 28
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


class VAE(nn.Module):
    """Images (B, 1, 28, 28) to mu and log_var (B, latent_size); latents (B, latent_size) to logits (B, 1, 28, 28)."""

    def __init__(self, latent_size, hidden_size=400):
        super().__init__()
        self.latent_size = latent_size
        self.encoder = nn.Sequential(
            nn.Flatten(),  # 1 x 28 x 28 => 784
            nn.Linear(784, hidden_size),  # => hidden_size
            nn.SiLU(),
            nn.Linear(hidden_size, hidden_size),  # => hidden_size
            nn.SiLU(),
            nn.Linear(hidden_size, 2 * latent_size),  # => mu and log_var, side by side
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_size, hidden_size),  # => hidden_size
            nn.SiLU(),
            nn.Linear(hidden_size, hidden_size),  # => hidden_size
            nn.SiLU(),
            nn.Linear(hidden_size, 784),  # => 784 logits, without a sigmoid
            nn.Unflatten(1, (1, 28, 28)),  # => 1 x 28 x 28
        )

    def encode(self, x):
        mu, log_var = self.encoder(x).chunk(2, dim=1)
        return mu, log_var

    def decode(self, z):
        return self.decoder(z)


class MixturePrior(nn.Module):
    """p(z): a mixture of Gaussians over the latents. Its numbers are fitted to codes, not trained by gradients."""

    def __init__(self, latent_size, components=100):
        super().__init__()
        self.register_buffer("weights", torch.full((components,), 1 / components))
        self.register_buffer("means", torch.zeros(components, latent_size))
        # L with L L^T = covariance: unlike the covariance, it stays valid when it is rounded.
        self.register_buffer("scale_tril", torch.eye(latent_size).repeat(components, 1, 1))

    def density(self):
        gaussians = MultivariateNormal(self.means, scale_tril=self.scale_tril)
        return MixtureSameFamily(Categorical(self.weights), gaussians)

    def log_prob(self, z):
        return self.density().log_prob(z)  # (B, latent_size) => (B,)

    def sample(self, count):
        return self.density().sample((count,))  # => (count, latent_size)


class ConditionalVAE(nn.Module):
    """Images (B, 1, 28, 28) and labels (B,) to mu and log_var (B, latent_size); latents and labels to logits."""

    def __init__(self, latent_size, num_classes, hidden_size=400):
        super().__init__()
        self.latent_size = latent_size
        self.num_classes = num_classes
        self.encoder = nn.Sequential(
            nn.Linear(784 + num_classes, hidden_size),  # 784 pixels and the condition => hidden_size
            nn.SiLU(),
            nn.Linear(hidden_size, hidden_size),  # => hidden_size
            nn.SiLU(),
            nn.Linear(hidden_size, 2 * latent_size),  # => mu and log_var, side by side
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_size + num_classes, hidden_size),  # z and the condition => hidden_size
            nn.SiLU(),
            nn.Linear(hidden_size, hidden_size),  # => hidden_size
            nn.SiLU(),
            nn.Linear(hidden_size, 784),  # => 784 logits, without a sigmoid
            nn.Unflatten(1, (1, 28, 28)),  # => 1 x 28 x 28
        )

    def condition(self, y):
        return 5 * F.one_hot(y, self.num_classes).float()  # (B,) => (B, num_classes)

    def encode(self, x, y):
        return self.encoder(torch.cat([x.flatten(1), self.condition(y)], dim=1)).chunk(2, dim=1)

    def decode(self, z, y):
        return self.decoder(torch.cat([z, self.condition(y)], dim=1))


class ConditionalPrior(nn.Module):
    """p(z|y): for each class a mixture of Gaussians over the latents. Fitted to codes, not trained by gradients."""

    def __init__(self, latent_size, num_classes, components=20):
        super().__init__()
        size = (num_classes, components)
        self.register_buffer("weights", torch.full(size, 1 / components))
        self.register_buffer("means", torch.zeros(*size, latent_size))
        # L with L L^T = covariance, as in notebook 08; of L, the numbers on and below the diagonal are kept.
        kept = torch.eye(latent_size)[*torch.tril_indices(latent_size, latent_size)]
        self.register_buffer("lower", kept.repeat(*size, 1))

    def given(self, y):
        """p(z|y) as a distribution, one for each label of (B,)."""
        means = self.means[y]  # (B, components, latent_size)
        n = means.shape[-1]
        L = means.new_zeros(*means.shape, n)
        L[..., *torch.tril_indices(n, n)] = self.lower[y]
        gaussians = MultivariateNormal(means, scale_tril=L)
        return MixtureSameFamily(Categorical(self.weights[y]), gaussians)

    def log_prob(self, z, y):
        return self.given(y).log_prob(z)  # (B, latent_size), (B,) => (B,)

    def sample(self, y):
        return self.given(y).sample()  # (B,) => (B, latent_size)


class ConditionalVAEWithPrior(ConditionalVAE):
    """A conditional VAE and the p(z|y) that was fitted to its codes."""

    def __init__(self, latent_size, num_classes, components=20):
        super().__init__(latent_size, num_classes)
        self.prior = ConditionalPrior(latent_size, num_classes, components)

    def log_prob(self, z, y):
        return self.prior.log_prob(z, y)  # log p(z|y), (B,)


class Generator(nn.Module):
    """Noise (B, noise_size), standard normal, to images (B, 1, 28, 28) with pixels in [0, 1]."""

    def __init__(self, noise_size):
        super().__init__()
        self.noise_size = noise_size
        self.layers = nn.Sequential(
            nn.Linear(noise_size, 256, bias=False),  # noise_size => 256
            nn.BatchNorm1d(256),
            nn.ReLU(),
            nn.Linear(256, 1568, bias=False),  # => 1568
            nn.BatchNorm1d(1568),
            nn.ReLU(),
            nn.Unflatten(1, (32, 7, 7)),  # => 32 x 7 x 7
            nn.ConvTranspose2d(32, 16, kernel_size=4, stride=2, padding=1, bias=False),  # => 16 x 14 x 14
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, kernel_size=4, stride=2, padding=1),  # => 1 x 28 x 28
            nn.Sigmoid(),  # every pixel into [0, 1]
        )

    def forward(self, z):
        return self.layers(z)


class Discriminator(nn.Module):
    """Images (B, 1, 28, 28) with pixels in [0, 1] to logits (B,): positive for real, negative for fake."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=4, stride=2, padding=1),  # 1 x 28 x 28 => 16 x 14 x 14
            nn.LeakyReLU(0.2),
            nn.Conv2d(16, 32, kernel_size=4, stride=2, padding=1),  # => 32 x 7 x 7
            nn.LeakyReLU(0.2),
            nn.Flatten(),  # => 1568
            nn.Linear(1568, 128),  # => 128
            nn.LeakyReLU(0.2),
            nn.Linear(128, 1),  # => 1
        )

    def forward(self, x):
        return self.layers(2 * x - 1).squeeze(1)  # pixels from -1 to 1 in, one logit an image out


class ConditionalGenerator(nn.Module):
    """Noise (B, noise_size) and labels (B,) to images (B, 1, 28, 28), pixels in [0, 1]."""

    def __init__(self, noise_size, num_classes):
        super().__init__()
        self.noise_size = noise_size
        self.num_classes = num_classes
        self.layers = nn.Sequential(
            nn.Linear(noise_size + num_classes, 1568, bias=False),  # => 1568
            nn.Unflatten(1, (32, 7, 7)),  # => 32 x 7 x 7
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 16, kernel_size=4, stride=2, padding=1, bias=False),  # => 16 x 14 x 14
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, kernel_size=4, stride=2, padding=1),  # => 1 x 28 x 28
            nn.Sigmoid(),  # every pixel into [0, 1]
        )

    def forward(self, z, y):
        one_hot = F.one_hot(y, self.num_classes).float()  # (B,) => (B, num_classes)
        return self.layers(torch.cat([z, one_hot], dim=1))


class ConditionalDiscriminator(nn.Module):
    """Pixels (B, 1, 28, 28) in [0, 1] and labels (B,) to the logit (B,) of "real, and of class y"."""

    def __init__(self, num_classes):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=4, stride=2, padding=1),  # 1 x 28 x 28 => 16 x 14 x 14
            nn.LeakyReLU(0.2),
            nn.Conv2d(16, 32, kernel_size=4, stride=2, padding=1),  # => 32 x 7 x 7
            nn.LeakyReLU(0.2),
            nn.Flatten(),  # => 1568
        )
        self.realism = nn.Linear(1568, 1)
        self.match = nn.Linear(1568, num_classes, bias=False)

    def forward(self, x, y):
        return self.logits(self.features(x), y)

    def features(self, x):
        return self.layers(2 * x - 1)  # (B, 1568), from pixels between -1 and 1

    def logits(self, f, y):
        match = self.match(f).gather(1, y[:, None])  # (B, num_classes) => (B, 1)
        return (self.realism(f) + match)[:, 0]  # (B,)
