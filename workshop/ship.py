"""Ship what a notebook trained on this machine: python -m workshop.ship NAME ...

Run the notebook on `strokes` first. The model that it kept in data/trained/own is rounded to float16, measured again
with the rounded weights, and written to data/trained/shipped.
"""

import argparse
import sys

from torch import nn

from course_utils.catalogue import CATALOGUE, row_of
from course_utils.checkpoints import CheckpointError, Manifest, read, write_trained
from course_utils.data import ImageData, load_images
from course_utils.settings import SHIPPED, own_folder
from workshop.measures import MEASURES


def ship(
    name: str, model: nn.Module, data: ImageData, settings: dict, seed: int, steps: int, seconds: float
) -> Manifest:
    """Round a model, in place, to float16, measure it on the data set, and write it to data/trained/shipped."""
    model.half().float()
    metrics = {measure: round(MEASURES[measure](model, data), 4) for measure in row_of(name).measures}
    return write_trained(
        name, model.half(), dataset=data.name, settings=settings, seed=seed, steps=steps, seconds=round(seconds, 1),
        metrics=metrics, folder=SHIPPED,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="+", choices=CATALOGUE, metavar="NAME")
    data = load_images("strokes")
    for name in parser.parse_args().names:
        path = own_folder() / data.name / f"{name}.safetensors"
        if not path.is_file():
            sys.exit(f"{path} is missing: {row_of(name).how_to_make(data.name)}")
        try:
            model, kept = read(path)
        except CheckpointError as problem:
            sys.exit(str(problem))
        print(ship(name, model, data, kept.settings, kept.seed, kept.steps, kept.seconds))


if __name__ == "__main__":
    main()
