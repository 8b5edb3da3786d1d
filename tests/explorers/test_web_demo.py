"""What demos of the page have in common: their modules, their data, and what a saved notebook keeps of them."""

import subprocess

import pytest
import safetensors.torch
import torch
from PIL import Image, ImageDraw, ImageFilter
from torch import nn

from course_utils.drawings import prepare_drawing
from course_utils.explorers.web_demo import WEB, WebDemo, bundle, joined, layers_of, layers_of_judge, pack
from course_utils.judges import load_judge
from course_utils.settings import PROJECT


def run_node(node: str, arguments: list[str], text: str = "") -> None:
    """Run node on a text; the test fails if node does."""
    result = subprocess.run([node, *arguments], input=text, capture_output=True, text=True, encoding="utf-8")
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_modules_pass_their_own_tests(node):
    tests = sorted(str(path) for path in (PROJECT / "tests" / "web").glob("*.test.mjs"))
    run_node(node, ["--test", *tests])


PREPARED = """given.map(([width, height, values]) => {
    const ink = demo.inkOf({ width, height, values: Uint8Array.from(values) });
    return Array.from(demo.fitAndCentre(ink) ?? new Uint8Array(784));
})"""


def drawing(size, width, opacity=255, blur=0.0, points=((60, 50), (200, 60), (110, 230), (90, 120))):
    picture = Image.new("L", (size, size))
    scaled = [(x * size / 280, y * size / 280) for x, y in points]
    ImageDraw.Draw(picture).line(scaled, fill=opacity, width=width, joint="curve")
    return picture.filter(ImageFilter.GaussianBlur(blur))


def test_a_drawing_is_prepared_as_in_python(in_node):
    alphas = [
        drawing(280, 14), drawing(280, 2), drawing(280, 60), drawing(560, 28, blur=1.5), drawing(280, 9, opacity=120),
        drawing(28, 2), drawing(35, 1), drawing(280, 14, points=[(140, 20), (150, 260)]), drawing(280, 3, opacity=40),
        drawing(280, 14, points=[(20, 140), (260, 139)], blur=1), drawing(280, 30, points=[(5, 5), (9, 9)]),
        Image.new("L", (280, 280)),
    ]  # fmt: skip
    inks = [[alpha.width, alpha.height, list(alpha.tobytes())] for alpha in alphas]
    for alpha, prepared in zip(alphas, in_node("drawing", PREPARED, inks)):
        picture = Image.new("RGBA", alpha.size, "black")
        picture.putalpha(alpha)
        expected = prepare_drawing(picture)
        assert prepared == expected.flatten().tolist()


class Square(WebDemo):
    module = "code_pad"

    def __init__(self):
        network = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
        values, tensors = {"title": "a square"}, {"x": torch.tensor([1, 2])}
        super().__init__(values, tensors, {"f": network}, self.draw, "a grey square")

    def draw(self):
        return Image.new("L", (30, 20))


def test_a_saved_notebook_keeps_the_still_and_its_description():
    demo = Square()
    data, _ = demo._repr_mimebundle_()
    assert data["text/plain"] == "a grey square" and 'alt="a grey square"' in data["text/html"]
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == demo.model_id


def test_the_data_hold_values_layers_and_numbers():
    data = Square().data
    assert data["title"] == "a square"
    assert data["networks"] == {"f": [{"kind": "Linear", "name": "f.0"}, {"kind": "ReLU", "name": "f.1"}]}
    assert set(safetensors.torch.load(data["tensors"])) == {"x", "f.0.weight", "f.0.bias"}


@pytest.mark.parametrize("name", sorted(path.stem for path in WEB.glob("*.js")))
def test_what_is_joined_is_one_module_without_imports_and_doubled_names(node, name):
    source = joined(name)
    assert "import " not in source and "export " not in source
    run_node(node, ["--input-type=module", "--check", "-"], source)


def test_a_bundle_holds_each_module_once_and_one_export():
    source = bundle("code_pad")
    assert source.count("function readTensors") == source.count("function make(") == 1
    assert source.count("export ") == source.count("export default") == 1


def test_the_layers_of_a_network_carry_their_settings():
    network = nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 2, 4, stride=2, padding=1), nn.LeakyReLU(0.1)), nn.Unflatten(1, (2, 3))
    )
    assert layers_of("D", network) == [
        {"kind": "Conv2d", "name": "D.0.0", "stride": 2, "padding": 1},
        {"kind": "LeakyReLU", "name": "D.0.1", "slope": 0.1},
        {"kind": "Unflatten", "name": "D.1", "shape": [2, 3]},
    ]
    assert layers_of("f", nn.Linear(1, 1)) == [{"kind": "Linear", "name": "f"}]


class Residual(nn.Module):
    def forward(self, x):
        return x + 1


@pytest.mark.parametrize(
    ("layer", "complaint"),
    [
        (
            Residual(),
            r"decode must be an nn\.Sequential of layers that the page can run \(Linear, .*got Residual",
        ),
        (
            nn.Conv2d(2, 2, 3, groups=2),
            r"decode must have square kernels, without dilation, groups.*got Conv2d\(",
        ),
        (nn.Conv2d(1, 1, (3, 5)), "decode must have square kernels"),
        (nn.ConvTranspose2d(1, 1, 3, stride=2, output_padding=1), "decode must have square kernels"),
        (nn.MaxPool2d(3, stride=2, padding=1), r"pooling whose stride is its size.*got MaxPool2d\("),
        (nn.MaxPool2d(2, ceil_mode=True), r"got MaxPool2d\("),
        (nn.MaxPool2d((2, 2)), r"got MaxPool2d\("),
        (nn.BatchNorm2d(2, track_running_stats=False), r"what PyTorch does by default; got BatchNorm2d\("),
        (nn.BatchNorm1d(2, track_running_stats=False), r"got BatchNorm1d\("),
        (nn.Flatten(2), r"got Flatten\("),
        (nn.Unflatten(1, (-1, 2)), r"got Unflatten\("),
        (nn.GELU(approximate="tanh"), r"got GELU\("),
        (nn.Softmax(dim=0), r"got Softmax\("),
    ],
)
def test_what_the_page_cannot_run_is_told_in_a_sentence(layer, complaint):
    with pytest.raises(ValueError, match=complaint):
        layers_of("decode", nn.Sequential(layer))


def test_only_the_courses_judge_is_a_judge():
    assert [layer["kind"] for layer in layers_of("judge", layers_of_judge(load_judge("strokes")))][
        -1
    ] == "Softmax"
    with pytest.raises(ValueError, match="judge must be what load_judge returns; got function"):
        layers_of_judge(lambda x: x)


def test_numbers_are_packed_as_small_as_they_stay_exact():
    shared = nn.Linear(1, 1)
    nn.init.constant_(shared.weight, 1 / 128 + 1)
    nn.init.constant_(shared.bias, 0.1)
    networks = {"a": nn.Sequential(shared, nn.BatchNorm1d(1)), "b": shared}
    tensors = safetensors.torch.load(pack({"images": torch.zeros(2, dtype=torch.uint8)}, networks))
    kinds = {name: tensor.dtype for name, tensor in tensors.items()}
    assert kinds["images"] == torch.uint8
    assert kinds["a.0.weight"] == kinds["b.weight"] == torch.float16
    assert kinds["a.0.bias"] == torch.float32 and kinds["a.1.weight"] == torch.float8_e4m3fn
    assert "a.1.running_var" in kinds and "a.1.num_batches_tracked" not in kinds
