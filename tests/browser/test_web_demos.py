"""The demos on a page without a kernel, opened as a file: the numbers of torch, and keyboard, pointer and touch."""

import base64

import pytest
import torch
from torch import nn

from course_utils.checkpoints import read
from course_utils.explorers.web_demo import joined, layers_of, layers_of_judge, pack
from course_utils.judges import Judge
from course_utils.settings import SHIPPED
from workshop.demos import DEMOS, page_script

LARGEST_SCRIPT = 1_000_000  # bytes
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>A demo</title>
<div data-demo="{name}">the still</div><script>{script}</script>"""
NAMELESS = """demo => [...demo.querySelectorAll("input, select, button, canvas")].filter(control => {
    const label = control.getAttribute("aria-label") || control.labels?.[0]?.textContent || control.textContent;
    return !label.trim();
}).map(control => control.outerHTML)"""
# What the canvases show, one text.
PICTURES = 'demo => [...demo.querySelectorAll("canvas")].map(canvas => canvas.toDataURL()).join(" ")'
RUN = """({layers, weights, inputs, shape}) => {
    const file = new DataView(Uint8Array.from(atob(weights), letter => letter.charCodeAt(0)).buffer);
    const tensors = readTensors(file);
    return inputs.map(values => Array.from(run(layers, tensors, {shape, values: Float32Array.from(values)}).values));
}"""


def shipped(name: str) -> nn.Module:
    return read(SHIPPED / "strokes" / f"{name}.safetensors")[0]


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    """The script of each demo, made once."""
    return {name: page_script(name) for name in DEMOS}


@pytest.fixture
def open_demo(browser, scripts, tmp_path):
    """`open_demo(name)` opens a page with the demo and returns its element; the page must run without a problem."""
    problems, context = [], browser.new_context(has_touch=True)

    def open_page(name):
        file = tmp_path / "page.html"
        file.write_text(PAGE.format(name=name, script=scripts[name]), encoding="utf-8")
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: request.url.startswith("http") and problems.append(request.url))
        page.goto(file.as_uri())
        demo = page.locator(".course-demo")
        demo.wait_for()
        assert page.get_by_text("the still").count() == 0 and demo.get_attribute("aria-label")
        assert demo.evaluate(NAMELESS) == []
        return demo

    yield open_page
    context.close()
    assert not problems, "\n".join(problems)


def changes(demo, action) -> str:
    """Do `action` and return what the demo's canvases then show; fail if that stays as it is."""
    before = demo.evaluate(PICTURES)
    action()
    for _ in range(100):
        if (now := demo.evaluate(PICTURES)) != before:
            return now
        demo.page.wait_for_timeout(50)
    pytest.fail("the pictures of the demo stayed as they were")


def press(demo, label: str, key: str = "ArrowRight"):
    demo.get_by_label(label, exact=True).focus()
    demo.page.keyboard.press(key)


def draw(demo, *places: tuple[float, float]):
    """Draw a line through places on the pad, given as shares of its sides."""
    pad, mouse = demo.get_by_label("A pad to draw"), demo.page.mouse
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    mouse.move(*points[0])
    mouse.down()
    for point in points[1:]:
        mouse.move(*point, steps=5)
    mouse.up()


# --- the same numbers as torch ---


def networks() -> dict[str, tuple[nn.Module, tuple[int, ...]]]:
    """Every network that the pages run, and the shape of one input."""
    vae, cvae, image = shipped("vae_2_latents"), shipped("conditional_vae"), (1, 28, 28)
    conv, mlp, G = shipped("conv_autoencoder"), shipped("mlp_autoencoder"), shipped("conditional_gan")
    return {
        "decoder of the VAE": (nn.Sequential(vae.decoder, nn.Sigmoid()), (2,)),
        "judge": (layers_of_judge(Judge(shipped("classifier"))), image),
        "encoder of the CVAE": (cvae.encoder, (794,)),
        "decoder of the CVAE": (nn.Sequential(cvae.decoder, nn.Sigmoid()), (cvae.decoder[0].in_features,)),
        "convolutional encoder": (conv.encoder, image),
        "convolutional decoder": (conv.decoder, (16,)),
        "encoder with GELU": (mlp.encoder, image),
        "decoder of two numbers": (shipped("small_autoencoder").decoder, (2,)),
        "decoder with GELU": (mlp.decoder, (mlp.decoder[0].in_features,)),
        "conditional generator": (G.layers, (G.noise_size + G.num_classes,)),
        "generator": (shipped("gan").layers, (shipped("gan").noise_size,)),
    }


def test_networks_give_the_numbers_of_torch(browser):
    page = browser.new_page()
    page.add_script_tag(content=joined("nets"))
    differences = {}
    for name, (network, shape) in networks().items():
        generator = torch.Generator().manual_seed(0)
        # Codes and noise are normal, pixels lie in [0, 1].
        draw_numbers = torch.randn if len(shape) == 1 else torch.rand
        inputs = draw_numbers(5, *shape, generator=generator)
        given = {
            "layers": layers_of("f", network),
            "weights": base64.b64encode(pack({}, {"f": network})).decode(),
            "inputs": inputs.flatten(1).tolist(),
            "shape": list(shape),
        }
        found = torch.tensor(page.evaluate(RUN, given))
        with torch.no_grad():
            expected = network.eval()(inputs).flatten(1)
        # Pixels and probabilities are at most 1; codes are larger, and rounded in proportion.
        differences[name] = (found - expected).abs().max().item() / max(1, expected.abs().max().item())
    page.close()
    assert max(differences.values()) <= 1e-5, differences


# --- each demo ---


def test_each_script_is_small(scripts):
    assert {
        name: len(script) for name, script in scripts.items() if len(script.encode()) > LARGEST_SCRIPT
    } == {}


def test_the_latent_pad_decodes_as_torch_and_follows_arrow_keys_pointer_and_touch(open_demo):
    demo = open_demo("code_pad")
    with torch.no_grad():
        pixels = shipped("vae_2_latents").decode(torch.zeros(1, 2)).sigmoid().flatten()
    shown = (
        demo.locator("canvas")
        .nth(1)
        .evaluate(
            'canvas => [...canvas.getContext("2d").getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)'
        )
    )
    assert (torch.tensor(shown) - 255 * pixels).abs().max() <= 0.51
    plane = demo.locator("canvas").first
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    places = [
        (box["x"] + share * box["width"], box["y"] + share * box["height"]) for share in (0.3, 0.4, 0.6)
    ]
    seen = [demo.evaluate(PICTURES)]
    for control in ("z1", "z2"):
        seen.append(changes(demo, lambda control=control: press(demo, control)))
    plane.focus()
    seen.append(changes(demo, lambda: demo.page.keyboard.press("ArrowUp")))
    demo.page.mouse.move(*places[0])
    seen.append(changes(demo, demo.page.mouse.down))
    seen.append(changes(demo, lambda: demo.page.mouse.move(*places[1], steps=3)))
    demo.page.mouse.up()
    seen.append(changes(demo, lambda: demo.page.touchscreen.tap(*places[2])))
    assert len(set(seen)) == len(seen)
    assert "The nearest code is" in demo.get_by_role("status").inner_text()


@pytest.mark.parametrize(
    ("name", "controls"),
    [
        ("label_and_noise", ["label", "noise A", "noise B", "from A to B"]),
        ("style", ["start", "style 1", "style 4"]),
        ("interpolation", ["from", "to", "how far"]),
    ],
)
def test_each_slider_changes_the_pictures_from_the_keyboard(open_demo, name, controls):
    demo = open_demo(name)
    seen = [demo.evaluate(PICTURES)]
    for control in controls:
        seen.append(changes(demo, lambda control=control: press(demo, control)))
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    ("name", "controls"),
    [
        ("drawing_pad", ["turn (°)", "or image"]),
        ("reconstruction_pad", ["noise", "or image"]),
        ("handwriting", []),
    ],
)
def test_a_drawing_is_seen_while_it_is_drawn_and_an_empty_pad_is_told(open_demo, name, controls):
    demo = open_demo(name)
    seen = [changes(demo, lambda: draw(demo, (0.25, 0.2), (0.75, 0.2), (0.4, 0.85)))]
    for control in controls:
        seen.append(changes(demo, lambda control=control: press(demo, control)))
    assert len(set(seen)) == len(seen)
    demo.get_by_role("button", name="Clear").click()
    demo.get_by_role("status").get_by_text("There is nothing to see yet").wait_for(timeout=5000)


def test_a_seven_is_read_as_a_seven_and_can_be_called_a_three(open_demo):
    demo = open_demo("handwriting")
    draw(demo, (0.25, 0.2), (0.75, 0.2), (0.4, 0.85))
    demo.get_by_text("The model encodes the image as 7").wait_for(timeout=5000)
    demo.get_by_label("drawn as").select_option("3")
    demo.get_by_text("The model encodes the image as 3").wait_for(timeout=5000)


# --- in JupyterLab ---

A_SLIDER_OF = {
    "code_pad": "z1",
    "code_pad_of_autoencoder": "z2",
    "label_and_noise": "noise A",
    "handwriting": "or image",
    "style": "style 1",
    "reconstruction_pad": "noise",
    "interpolation": "how far",
    "drawing_pad": "turn (°)",
}


def test_in_jupyterlab_the_demos_go_on_when_the_kernel_has_ended(lab):
    cells = [f'from workshop.demos import DEMOS\n\nDEMOS["{name}"].make()' for name in A_SLIDER_OF]
    with lab.open(lab.write_notebook("models_in_the_page.ipynb", cells)) as notebook:
        notebook.run_all()
        demos = {name: notebook.cell(f'"{name}"').locator(".course-demo") for name in A_SLIDER_OF}
        for demo in demos.values():  # each has been shown before the kernel ends
            demo.wait_for()
        notebook.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        for name, demo in demos.items():
            changes(demo, lambda demo=demo, slider=A_SLIDER_OF[name]: press(demo, slider))
