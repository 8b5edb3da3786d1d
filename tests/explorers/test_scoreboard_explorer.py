"""The scoreboard to play with, driven by setting the values of its controls."""

import numpy as np
import pytest

from course_utils.explorers.scoreboard_explorer import STYLES, ScoreboardExplorer
from course_utils.plots import to_png
from course_utils.scoreboard import MEASURES, MODELS, REAL, Scoreboard


def run(model, seed, **values):
    return {"model": model, "seed": seed, **dict.fromkeys(MEASURES), **values}


@pytest.fixture
def board():
    runs = [run(REAL, seed, frechet=1.0 + 0.1 * seed, acceptance=0.99, nearest=4.3) for seed in range(3)]
    for seed in range(3):
        runs.append(run("vae", seed, frechet=200.0 + seed, squared_error=9.0 + seed, acceptance=0.8))
        runs.append(run("gan", seed, frechet=9.0 + seed, acceptance=0.9123 + 0.01 * seed))
    return Scoreboard("strokes", 4000, 4000, runs)


@pytest.fixture
def explorer(board):
    return ScoreboardExplorer(board)


def dots(figure, model):
    """The (across, up) places of the dots of a model, in the order of its seeds."""
    colour, shape = STYLES[model]
    (line,) = [line for line in figure.axes[0].lines if line.get_marker() == shape]
    assert line.get_color() == colour
    return line.get_xydata()


def texts(figure):
    return " ".join(text.get_text() for text in figure.axes[0].texts)


def test_every_control_changes_the_picture(explorer, controls_change_the_picture):
    changes = [
        ("measure", "squared_error"),
        ("measure", "acceptance"),
        ("against", "frechet"),
        ("vae", False),
        ("against", ""),
    ]
    assert controls_change_the_picture(explorer, changes)


def test_every_measure_can_be_drawn_alone_and_against_another(explorer):
    names = list(MEASURES)
    for measure, against in zip(names, [*names[1:], names[0]], strict=True):
        explorer.draw(measure=measure, against="", models=("vae", "gan"))
        explorer.draw(measure=measure, against=against, models=("vae", "gan"))
    for against in ("", "acceptance"):
        explorer.draw(measure="frechet", against=against, models=())


def test_the_dots_are_the_seeds_of_the_board(explorer, board):
    rows = explorer.figure(measure="frechet", against="", models=("vae", "gan"))
    assert np.allclose(dots(rows, "gan"), [[9, 1], [10, 1], [11, 1]])
    assert "mean 10" in texts(rows) and "dashed: real images" in rows.axes[0].get_title()
    pairs = explorer.figure(measure="acceptance", against="frechet", models=("vae", "gan"))
    assert np.allclose(dots(pairs, "gan")[:, 0], board.values("gan", "acceptance"))
    assert np.allclose(dots(pairs, "gan")[:, 1], board.values("gan", "frechet"))


def test_the_dashed_line_is_the_mean_of_the_real_images(explorer):
    figure = explorer.figure(measure="frechet", against="", models=("gan",))
    dashed = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert dashed == pytest.approx([1.1])


def test_a_model_without_the_measure_is_named_as_such(explorer):
    assert "none" in texts(explorer.figure(measure="squared_error", against="", models=("vae", "gan")))
    figure = explorer.figure(measure="squared_error", against="frechet", models=("vae", "gan"))
    assert "without one of\nthe measures:\nGAN" in texts(figure)


def test_values_that_differ_much_get_a_logarithmic_axis(explorer):
    assert explorer.figure(measure="frechet", against="", models=("vae", "gan")).axes[0].get_xscale() == "log"
    assert explorer.figure(measure="acceptance", against="", models=("gan",)).axes[0].get_xscale() == "linear"


def test_nothing_is_cut_off(explorer):
    for measure in ("frechet", "acceptance"):
        figure = explorer.figure(measure=measure, against="", models=tuple(explorer.board.models))
        to_png(figure)
        for text in figure.axes[0].texts:
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.x1 <= 760


def test_models_that_were_not_measured_are_not_offered(explorer):
    offered = {name: box.description for name, box in explorer.controls.items() if name in MODELS}
    assert offered == {"vae": MODELS["vae"], "gan": MODELS["gan"]}
    assert explorer.values() == {"measure": "frechet", "against": "", "models": ("vae", "gan")}


def test_a_board_without_models_is_told():
    with pytest.raises(ValueError, match="board must hold runs of at least one model"):
        ScoreboardExplorer(Scoreboard("strokes", 4000, 4000, [run(REAL, 0)]))
