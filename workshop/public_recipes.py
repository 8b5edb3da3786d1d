"""Public recipes that a reader could take in place of the course's, written anew from their settings.

Each trains on the images of a data set for a number of CPU seconds. The sources, from which no code is copied:

- the VAE of PyTorch's examples, https://github.com/pytorch/examples/tree/main/vae (see `workshop.classic_vae`);
- the DCGAN of PyTorch's examples, https://github.com/pytorch/examples/tree/main/dcgan, after Radford, Metz and Chintala
  (2016), https://arxiv.org/abs/1511.06434;
- the DCGAN of Dive into Deep Learning, https://d2l.ai/chapter_generative-adversarial-networks/dcgan.html;
- Keras' conditional GAN, https://keras.io/examples/generative/conditional_gan/, whose images are 28 x 28 as here.

All take their minibatches from tensors in memory, as the course does, so that loading makes no difference between them.
"""

import time
from collections.abc import Callable, Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import nn

from course_utils.data import ImageData, minibatches
from workshop import classic_vae

# More than fit into the seconds of any training.
EPOCHS = 10_000
DCGAN_NOISE, KERAS_NOISE = 100, 128

# What a GAN's training gives: a function from labels (N,) to as many images (N, 1, 28, 28) with pixels in [0, 1].
Draw = Callable[[torch.Tensor], torch.Tensor]


def for_seconds(seconds: float, batches: Iterable) -> Iterator:
    """The first minibatch, and more until the loop over them has used so many CPU seconds, summed over threads."""
    begin = time.process_time()
    for batch in batches:
        yield batch
        if time.process_time() - begin >= seconds:
            break


def bce(logits: torch.Tensor, target: int) -> torch.Tensor:
    """Binary cross entropy of logits against one target for all of them: 1 for real, 0 for fake."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def pytorch_vae(data: ImageData, seconds: float, seed: int) -> classic_vae.ClassicVAE:
    """784-400-20, ReLU, Adam 1e-3, batches of 128, cross entropy of the grey pixels."""
    torch.manual_seed(seed)
    batches = classic_vae.resident_batches(data, epochs=EPOCHS, seed=seed)
    return classic_vae.train(for_seconds(seconds, batches), classic_vae.loss_on_probabilities, fused=False)


def dcgan_networks(norm_everywhere: bool) -> tuple[nn.Module, nn.Module]:
    """G, noise (B, 100) to images (B, 1, 28, 28) in [-1, 1], and D, such images to logits (B,).

    The originals are for 64 x 64 pixels. Here the stages next to the image are as there, with 64 and 128 channels, and
    the two inner ones, with 256 and 512, are left out. norm_everywhere: batch normalisation also in D's first stage.
    """
    generator = nn.Sequential(
        nn.Unflatten(1, (DCGAN_NOISE, 1, 1)),
        nn.ConvTranspose2d(DCGAN_NOISE, 128, kernel_size=7, bias=False),  # => 128 x 7 x 7
        nn.BatchNorm2d(128),
        nn.ReLU(),
        nn.ConvTranspose2d(128, 64, kernel_size=4, stride=2, padding=1, bias=False),  # => 64 x 14 x 14
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 1, kernel_size=4, stride=2, padding=1, bias=False),  # => 1 x 28 x 28
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, kernel_size=4, stride=2, padding=1, bias=False),  # => 64 x 14 x 14
        nn.BatchNorm2d(64) if norm_everywhere else nn.Identity(),
        nn.LeakyReLU(0.2),
        nn.Conv2d(64, 128, kernel_size=4, stride=2, padding=1, bias=False),  # => 128 x 7 x 7
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2),
        nn.Conv2d(128, 1, kernel_size=7, bias=False),  # => 1 x 1 x 1
        nn.Flatten(start_dim=0),
    )
    return generator, discriminator


def train_dcgan(G: nn.Module, D: nn.Module, batches: Iterable[torch.Tensor], rate: float) -> Draw:
    """Both sources have this loop, up to factors of the losses, which Adam divides out.

    Both also draw without eval mode, so that batches of samples are normalised as in training.
    """
    optimizer_g = torch.optim.Adam(G.parameters(), lr=rate, betas=(0.5, 0.999))
    optimizer_d = torch.optim.Adam(D.parameters(), lr=rate, betas=(0.5, 0.999))
    for x in batches:
        fakes = G(torch.randn(len(x), DCGAN_NOISE))
        loss_d = bce(D(2 * x - 1), 1) + bce(D(fakes.detach()), 0)
        optimizer_d.zero_grad()
        loss_d.backward()
        optimizer_d.step()
        loss_g = bce(D(fakes), 1)
        optimizer_g.zero_grad()
        loss_g.backward()
        optimizer_g.step()
    return lambda y: (G(torch.randn(len(y), DCGAN_NOISE)) + 1) / 2


def pytorch_dcgan(data: ImageData, seconds: float, seed: int) -> Draw:
    """Adam 2e-4, batches of 64; weights start with a standard deviation of 0.02, around 1 in batch normalisation."""
    torch.manual_seed(seed)
    G, D = dcgan_networks(norm_everywhere=False)
    for layer in (*G, *D):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.02)
    batches = minibatches(data.train_images, batch_size=64, epochs=EPOCHS, seed=seed)
    return train_dcgan(G, D, for_seconds(seconds, batches), rate=2e-4)


def d2l_dcgan(data: ImageData, seconds: float, seed: int) -> Draw:
    """Adam 5e-3, batches of 256; all parameters start from N(0, 0.02^2)."""
    torch.manual_seed(seed)
    G, D = dcgan_networks(norm_everywhere=True)
    for parameter in (*G.parameters(), *D.parameters()):
        nn.init.normal_(parameter, 0, 0.02)
    batches = minibatches(data.train_images, batch_size=256, epochs=EPOCHS, seed=seed)
    return train_dcgan(G, D, for_seconds(seconds, batches), rate=5e-3)


def with_label(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Noise or images x (B, C, ...) and labels y (B,), one-hot and the same at each pixel, as one (B, C + 10, ...)."""
    one_hot = F.one_hot(y, 10).float().view(len(y), 10, *[1] * (x.ndim - 2))
    return torch.cat([x, one_hot.expand(-1, -1, *x.shape[2:])], dim=1)


def keras_networks() -> tuple[nn.Module, nn.Module]:
    """G, noise and label (B, 138) to images (B, 1, 28, 28) in [0, 1], and D, images and label (B, 11, 28, 28) to logits
    (B,). Weights start from Glorot's uniform distribution and biases from 0, as is usual in Keras.
    """
    size = KERAS_NOISE + 10
    generator = nn.Sequential(
        nn.Linear(size, 49 * size),
        nn.LeakyReLU(0.2),
        nn.Unflatten(1, (size, 7, 7)),
        nn.ConvTranspose2d(size, 128, kernel_size=4, stride=2, padding=1),  # => 128 x 14 x 14
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(128, 128, kernel_size=4, stride=2, padding=1),  # => 128 x 28 x 28
        nn.LeakyReLU(0.2),
        nn.Conv2d(128, 1, kernel_size=7, padding=3),  # => 1 x 28 x 28
        nn.Sigmoid(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(11, 64, kernel_size=3, stride=2, padding=1),  # => 64 x 14 x 14
        nn.LeakyReLU(0.2),
        nn.Conv2d(64, 128, kernel_size=3, stride=2, padding=1),  # => 128 x 7 x 7
        nn.LeakyReLU(0.2),
        nn.AdaptiveMaxPool2d(1),  # => 128 x 1 x 1
        nn.Flatten(),
        nn.Linear(128, 1),
        nn.Flatten(start_dim=0),
    )
    for layer in (*generator, *discriminator):
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return generator, discriminator


def keras_conditional_gan(data: ImageData, seconds: float, seed: int) -> Draw:
    """Adam 3e-4, batches of 64; the labels of the fakes are those of the real images."""
    torch.manual_seed(seed)
    G, D = keras_networks()

    def draw(y):
        return G(with_label(torch.randn(len(y), KERAS_NOISE), y))

    optimizer_g, optimizer_d = (torch.optim.Adam(net.parameters(), lr=3e-4, eps=1e-7) for net in (G, D))
    batches = minibatches(data.train_images, data.train_labels, batch_size=64, epochs=EPOCHS, seed=seed)
    for x, y in for_seconds(seconds, batches):
        with torch.no_grad():
            fakes = draw(y)
        loss_d = (bce(D(with_label(x, y)), 1) + bce(D(with_label(fakes, y)), 0)) / 2
        optimizer_d.zero_grad()
        loss_d.backward()
        optimizer_d.step()
        loss_g = bce(D(with_label(draw(y), y)), 1)
        optimizer_g.zero_grad()
        loss_g.backward()
        optimizer_g.step()
    return draw
