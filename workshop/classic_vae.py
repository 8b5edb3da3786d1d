"""The classic VAE, 784-400-20, trained the usual way and the course's way: a part of `python -m workshop.bench`.

The usual way is that of PyTorch's example (https://github.com/pytorch/examples/tree/main/vae): a DataLoader that makes
a tensor of one picture after the other, binary cross-entropy of probabilities, Adam, batches of 128.
"""

import time
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torchvision.transforms.functional import to_tensor

from course_utils.data import ImageData, minibatches, to_pixels
from course_utils.probability import gaussian_kl

BATCH_SIZE = 128
EPOCHS = 10


class ClassicVAE(nn.Module):
    """Pixels (B, 784) to logits (B, 784), mu and log_var (B, 20)."""

    def __init__(self):
        super().__init__()
        self.hidden, self.code = nn.Linear(784, 400), nn.Linear(400, 40)
        self.from_code, self.pixels = nn.Linear(20, 400), nn.Linear(400, 784)

    def encode(self, x):
        return self.code(self.hidden(x).relu()).chunk(2, dim=1)

    def decode(self, z):
        return self.pixels(self.from_code(z).relu())

    def forward(self, x):
        mu, log_var = self.encode(x)
        z = mu + torch.exp(0.5 * log_var) * torch.randn_like(mu)
        return self.decode(z), mu, log_var


def loss_on_probabilities(model: ClassicVAE, x: torch.Tensor) -> torch.Tensor:
    """Minus the ELBO, in nats per image, as the example computes it."""
    logits, mu, log_var = model(x)
    cross_entropy = F.binary_cross_entropy(logits.sigmoid(), x, reduction="sum")
    return (cross_entropy + gaussian_kl(mu, log_var).sum()) / len(x)


def loss_on_logits(model: ClassicVAE, x: torch.Tensor) -> torch.Tensor:
    """The same from logits, which saves a pass over the pixels."""
    logits, mu, log_var = model(x)
    cross_entropy = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    return (cross_entropy + gaussian_kl(mu, log_var).sum()) / len(x)


class Pictures(torch.utils.data.Dataset):
    """The training images, each made a tensor when it is asked for, as torchvision's MNIST with ToTensor does."""

    def __init__(self, images: torch.Tensor):
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        return to_tensor(Image.fromarray(self.images[index].numpy())).flatten()


def usual_batches(data: ImageData) -> DataLoader:
    return DataLoader(Pictures(data.train_images), BATCH_SIZE, shuffle=True)


def resident_batches(data: ImageData, epochs: int = 1, seed: int = 0) -> Iterator[torch.Tensor]:
    """The course's minibatches, as rows (B, 784)."""
    batches = minibatches(data.train_images, batch_size=BATCH_SIZE, epochs=epochs, seed=seed)
    return (x.flatten(1) for x in batches)


def train(batches, loss_of, fused: bool, epochs: int = 1) -> ClassicVAE:
    """A model, trained with Adam as the example sets it."""
    model = ClassicVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused)
    for x in (x for _ in range(epochs) for x in batches):
        loss = loss_of(model, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def bare_products(images: int) -> None:
    """The matrix products of an epoch alone, forward and backward."""
    sizes = [(784, 400), (400, 40), (20, 400), (400, 784)]
    pairs = [(torch.randn(BATCH_SIZE, n), torch.randn(n, m), torch.randn(BATCH_SIZE, m)) for n, m in sizes]
    for _ in range(images // BATCH_SIZE):
        for number, (x, weight, gradient) in enumerate(pairs):
            x @ weight
            x.T @ gradient
            if number > 0:  # nobody asks for the gradient of the images
                gradient @ weight.T


def epochs_side_by_side(data: ImageData) -> dict:
    """One epoch each: what `workshop.bench.compare` runs in turn."""
    usual = usual_batches(data)
    return {
        "DataLoader and ToTensor, as in PyTorch's example": lambda: train(
            usual, loss_on_probabilities, False
        ),
        "minibatches of resident uint8 tensors": lambda: train(
            resident_batches(data), loss_on_probabilities, False
        ),
        "the same, fused Adam, loss on logits": lambda: train(resident_batches(data), loss_on_logits, True),
        "bare matrix products": lambda: bare_products(len(data.train_images)),
    }


def fast_training(data: ImageData, seed: int) -> ClassicVAE:
    """To the same loss in 0.285 of the steps: a rate that rises and falls, and an output that begins at the mean
    picture.
    """
    model = ClassicVAE()
    mean = to_pixels(data.train_images).mean(dim=0).flatten().clamp(1e-3, 1 - 1e-3)
    with torch.no_grad():
        model.pixels.bias.copy_(mean.logit())
    steps = round(0.285 * EPOCHS * len(data.train_images) / BATCH_SIZE)
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.9, 0.98), fused=True)
    for step, x in zip(range(steps), resident_batches(data, EPOCHS, seed)):
        done = (step + 1) / steps
        optimizer.param_groups[0]["lr"] = 1.1e-2 * min(done / 0.1, max(0.01, (1 - done) / 0.9))
        loss = loss_on_logits(model, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def usual_training(data: ImageData, seed: int) -> ClassicVAE:
    """Ten epochs, as PyTorch's example trains."""
    return train(usual_batches(data), loss_on_probabilities, False, EPOCHS)


@torch.no_grad()
def timed(training, data: ImageData, seed: int) -> tuple[float, float]:
    """The seconds of a training, and the loss that it reaches on held-out images, in nats per image."""
    torch.manual_seed(seed)
    begin = time.perf_counter()
    with torch.enable_grad():
        model = training(data, seed)
    seconds = time.perf_counter() - begin
    return seconds, loss_on_logits(model, to_pixels(data.test_images).flatten(1)).item()
