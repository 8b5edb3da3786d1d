"""Printed characters: as many as asked for, in the place of the data sets' digits, and not all alike."""

import torch

from course_utils.other_images import FONTS, printed


def test_each_character_comes_once_in_each_font():
    x = printed("AB")
    assert x.shape == (2 * len(FONTS), 1, 28, 28) and x.dtype == torch.float32
    assert x.min() == 0 and x.max() == 1
    assert len(x.flatten(1).unique(dim=0)) == len(x)


def test_characters_have_the_size_and_the_place_of_the_digits():
    x = printed("HW")
    place = torch.arange(28.0)
    ink = x.sum(dim=(1, 2, 3))
    assert ((x.sum(dim=(1, 2)) @ place / ink - 14).abs() < 1).all()
    assert ((x.sum(dim=(1, 3)) @ place / ink - 14).abs() < 1).all()
    rows, columns = (x > 0.1).any(dim=3).sum(dim=2), (x > 0.1).any(dim=2).sum(dim=2)
    assert (torch.maximum(rows, columns) - 20).abs().max() <= 2
