"""Train the small models that ship with the course, and write them to data/trained/shipped.

python -m tests.benchmarks.train_shipped              all of them
python -m tests.benchmarks.train_shipped NAME ...     only these

One function a model: it returns what `save_trained` keeps. Weights are stored as float16, and every metric is
measured with the stored weights.
"""

import sys
import time

import torch

from course_utils.checkpoints import SHIPPED, save_trained
from course_utils.data import ImageData, load_images, minibatches, to_pixels
from course_utils.models import MLPAutoencoder
from tests.benchmarks.metrics import squared_error

SEED = 0


def mlp_autoencoder(data: ImageData) -> dict:
    settings = {"code_size": 30, "hidden_size": 512}
    model = MLPAutoencoder(**settings)
    mean_image = to_pixels(data.train_images).mean(dim=0)
    with torch.no_grad():
        model.decoder[2].bias.copy_(mean_image.flatten().clamp(0.001, 0.999).logit())
    batches = minibatches(data.train_images, batch_size=128, epochs=20, seed=SEED)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=6e-3, betas=(0.9, 0.99), weight_decay=0.1, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=6e-3, total_steps=len(batches), pct_start=0.1
    )
    for x in batches:
        loss = (x - model(x)).square().sum(dim=(1, 2, 3)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.half().float()
    return {
        "model": model,
        "settings": settings,
        "steps": len(batches),
        "metrics": {"squared_error": round(squared_error(model, data), 4)},
    }


RECIPES = {"mlp_autoencoder": mlp_autoencoder}


def main(names: list[str]) -> None:
    data = load_images("strokes")
    for name in names or RECIPES:
        torch.manual_seed(SEED)
        begin = time.perf_counter()
        result = RECIPES[name](data)
        seconds = round(time.perf_counter() - begin, 1)
        model = result.pop("model").half()
        manifest = save_trained(
            name, model, dataset=data.name, seed=SEED, seconds=seconds, folder=SHIPPED, **result
        )
        print(manifest)


if __name__ == "__main__":
    main(sys.argv[1:])
