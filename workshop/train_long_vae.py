"""Train the VAE of notebook 08 on MNIST, with 50 latents, and measure it as Burda and others (2016) did theirs.

    OMP_NUM_THREADS=1 python -m workshop.train_long_vae [NAME ...]

The models are chosen by NAME (default: all of RUNS), trained on the 60,000 train images, rounded to float16, and
written to data/trained/shipped/mnist. Notebook 08 shows the numbers. The settings were chosen with short runs on the
last 5,000 train images; the test images are only measured.

The seconds in a manifest are CPU seconds of the training on one thread. The names count minutes of two cores: two
threads take about two thirds of the time of one.
"""

import argparse
import time

import torch
import torch.nn.functional as F

from course_utils.data import load_images, minibatches, to_pixels
from course_utils.models import VAE
from course_utils.probability import gaussian_kl, reparameterise
from workshop.ship import ship

SEED = 0
SETTINGS = {"latent_size": 50, "hidden_size": 384}
# name: (epochs, highest learning rate)
RUNS = {"vae_mnist_1_minute": (14, 4e-3), "vae_mnist_5_minutes": (64, 3e-3)}


def train(images: torch.Tensor, epochs: int, peak_rate: float) -> tuple[VAE, int]:
    """The loop of notebook 08 with its warm-up over half of the run, on uint8 images (N, 28, 28), and its steps."""
    torch.manual_seed(SEED)
    model = VAE(**SETTINGS)
    with torch.no_grad():
        mean_image = to_pixels(images).mean(dim=0).flatten()
        model.decoder[-2].bias.copy_(mean_image.clamp(0.001, 0.999).logit())
    batches = minibatches(images, batch_size=128, epochs=epochs, seed=SEED)
    optimizer = torch.optim.Adam(model.parameters(), lr=peak_rate, betas=(0.9, 0.99), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        peak_rate,
        total_steps=len(batches),
        pct_start=0.1,
        anneal_strategy="linear",
        final_div_factor=10,
    )
    for step, grey in enumerate(batches, start=1):
        x = torch.bernoulli(grey)
        mu, log_var = model.encode(x)
        logits = model.decode(reparameterise(mu, log_var))
        distortion = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
        loss = distortion + min(1.0, 2 * step / len(batches)) * gaussian_kl(mu, log_var).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model, len(batches)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *RUNS], metavar="NAME", help=f"of {', '.join(RUNS)}")
    names = parser.parse_args().names or list(RUNS)
    data = load_images("mnist")
    for name in names:
        begin = time.process_time()
        model, steps = train(data.train_images, *RUNS[name])
        seconds = time.process_time() - begin
        print(ship(name, model, data, SETTINGS, SEED, steps, seconds), flush=True)


if __name__ == "__main__":
    main()
