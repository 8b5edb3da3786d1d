"""Ship what a notebook trained on this machine: python -m workshop.ship NAME ...

Run the notebook on `strokes` first. The model that it kept in data/trained/own is rounded to float16, its metrics are
measured again with the rounded weights, and it is written to data/trained/shipped.
"""

import sys

from course_utils.catalogue import row_of
from course_utils.checkpoints import read, write_trained
from course_utils.data import load_images
from course_utils.settings import OWN, SHIPPED
from workshop.measures import MEASURES


def main(names: list[str]) -> None:
    data = load_images("strokes")
    for name in names:
        model, manifest = read(OWN / data.name / f"{name}.safetensors")
        model.half().float()
        metrics = {metric: round(MEASURES[metric](model, data), 4) for metric in row_of(name).measures}
        shipped = write_trained(
            name,
            model.half(),
            dataset=data.name,
            settings=manifest.settings,
            seed=manifest.seed,
            steps=manifest.steps,
            seconds=round(manifest.seconds, 1),
            metrics=metrics,
            folder=SHIPPED,
        )
        print(shipped)


if __name__ == "__main__":
    main(sys.argv[1:])
