"""Train the autoencoder with a code of two numbers of notebook 06, for the latent pad on the course's page.

    OMP_NUM_THREADS=1 python -m workshop.train_small_autoencoder

No training stands here: the cells that the notebook tags `study`, `model` and `recipe` are run on `strokes`, and the
model that they train is rounded to float16 and written to data/trained/shipped. The notebook itself trains its own.
"""

import time

from torch.optim.optimizer import register_optimizer_step_post_hook

from course_utils.catalogue import row_of
from course_utils.data import load_images, to_pixels
from workshop.notebooks import tagged_sources
from workshop.scoreboard import run_cells
from workshop.ship import ship

NAME = "small_autoencoder"


def main() -> None:
    notebook = row_of(NAME).notebook
    assert notebook is not None
    data = load_images("strokes")
    cells = [cell for tag in ("study", "model", "recipe") for cell in tagged_sources(notebook, tag)]
    x_train, x_test = to_pixels(data.train_images), to_pixels(data.test_images)
    steps: list[None] = []  # one for each of the optimiser, because the notebook keeps its run to itself
    register_optimizer_step_post_hook(lambda *_: steps.append(None))
    begin = time.process_time()
    names = run_cells(cells, device="cpu", train_images=data.train_images, x_train=x_train, x_test=x_test)
    seconds = time.process_time() - begin
    print(ship(NAME, names["small"], data, {"code_size": 2}, seed=0, steps=len(steps), seconds=seconds))


if __name__ == "__main__":
    main()
