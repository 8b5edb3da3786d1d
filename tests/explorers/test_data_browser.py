"""The data browser of notebook 00, driven by setting the values of its controls."""

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils.data import ImageData
from course_utils.explorers import data_browser
from course_utils.explorers.data_browser import ALL_CLASSES, STORED_ORDER, DataBrowser


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (500, 28, 28), generator=generator, dtype=torch.uint8)
    labels = torch.arange(500) % 10
    factors = {"slant": torch.rand(500, generator=generator), "variant": torch.zeros(500)}
    digits = tuple("0123456789")
    return ImageData("toy", digits, images, labels, images, labels, factors, factors)


def test_every_control_changes_the_picture(data):
    browser = DataBrowser(data)
    pictures = [bytes(browser.picture.value)]
    for name, value in (
        ("class_name", "3"),
        ("order", "slant"),
        ("position", 100),
        ("class_name", ALL_CLASSES),
    ):
        browser.controls[name].value = value
        pictures.append(bytes(browser.picture.value))
        assert browser.error is None
    assert len(set(pictures)) == len(pictures)


def test_the_picture_is_not_stretched_in_its_frame(data):
    browser = DataBrowser(data)
    assert Image.open(io.BytesIO(browser.picture.value)).size == browser.size


def test_class_and_order_choose_the_right_images(data):
    browser = DataBrowser(data)
    rows = browser._chosen("7", "slant")
    assert set(data.train_labels[rows].tolist()) == {7} and len(rows) == 50
    assert np.all(np.diff(data.train_factors["slant"][rows].numpy()) >= 0)


def test_the_slider_reaches_the_first_and_the_last_image(data):
    browser = DataBrowser(data)
    first = browser.draw(ALL_CLASSES, STORED_ORDER, 0)
    last = browser.draw(ALL_CLASSES, STORED_ORDER, browser.controls["position"].max)
    assert "images 1 to 30 of 500" in first.get_suptitle()
    assert "images 471 to 500 of 500" in last.get_suptitle()


@pytest.mark.parametrize(("class_name", "count"), [(ALL_CLASSES, 4000), ("7", 400)])
def test_the_slider_reaches_every_image(monkeypatch, class_name, count):
    numbered = torch.arange(4000)
    images = torch.zeros(4000, 28, 28, dtype=torch.uint8)
    many = ImageData("toy", tuple("0123456789"), images, numbered % 10, images, numbered % 10)
    titles = []
    blank = np.zeros((2, 2), dtype=np.uint8)
    monkeypatch.setattr(data_browser, "image_grid", lambda *arguments, title: titles.append(title) or blank)
    browser = DataBrowser(many)
    browser.controls["class_name"].value = class_name
    titles.clear()
    position = browser.controls["position"]
    for value in range(0, position.max + 1, position.step):
        browser.draw(class_name, STORED_ORDER, value)
    ends = [re.findall(r"[\d,]+", title.partition("images")[2]) for title in titles]
    reached = set()
    for first, last, of in ([int(number.replace(",", "")) for number in numbers] for numbers in ends):
        assert of == count
        reached |= set(range(first, last + 1))
    assert reached == set(range(1, count + 1))


def test_the_slider_ends_with_the_chosen_class(data):
    browser = DataBrowser(data)
    browser.controls["position"].value = 480
    browser.controls["class_name"].value = "7"
    assert browser.controls["position"].value == 30 and browser.error is None


def test_data_without_factors_offer_no_order_by_factor(data):
    plain = ImageData(*(getattr(data, name) for name in ("name", "classes", "train_images", "train_labels")),
                      data.test_images, data.test_labels)  # fmt: skip
    assert DataBrowser(plain).controls["order"].options == (STORED_ORDER,)
