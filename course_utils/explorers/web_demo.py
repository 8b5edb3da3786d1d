"""Demos that run in the page: one ES module each in `web/`, which needs no kernel once it has its data.

The same module serves the notebook, as the widget of anywidget, and the course's web page.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import anywidget
import safetensors.torch
import torch
import traitlets
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from course_utils.judges import Judge
from course_utils.plots import picture_bundle

WEB = Path(__file__).with_name("web")
IMPORT = re.compile(r'^import [^;]* from "\./(\w+)\.js";\n', re.MULTILINE)
# The layers that web/nets.js can run in eval mode, and the settings that it must know of each.
LAYERS: dict[type[nn.Module], Callable[..., dict]] = {
    nn.Linear: lambda layer: {},
    nn.Conv2d: lambda layer: {"stride": layer.stride[0], "padding": layer.padding[0]},
    nn.ConvTranspose2d: lambda layer: {"stride": layer.stride[0], "padding": layer.padding[0]},
    nn.BatchNorm1d: lambda layer: {"eps": layer.eps},
    nn.BatchNorm2d: lambda layer: {"eps": layer.eps},
    nn.MaxPool2d: lambda layer: {"size": layer.kernel_size},
    nn.Flatten: lambda layer: {},
    nn.Unflatten: lambda layer: {"shape": list(layer.unflattened_size)},
    nn.Dropout: lambda layer: {},
    nn.ReLU: lambda layer: {},
    nn.LeakyReLU: lambda layer: {"slope": layer.negative_slope},
    nn.SiLU: lambda layer: {},
    nn.GELU: lambda layer: {},
    nn.Sigmoid: lambda layer: {},
    nn.Tanh: lambda layer: {},
    nn.Softmax: lambda layer: {},
}


class WebDemo(anywidget.AnyWidget):
    """A demo that runs in the page: `web/MODULE.js` and its data, with a still picture for where no script runs.

    A subclass names its `module`. `values` are what JSON can hold, `tensors` numbers by name, and `networks` are
    sequences of the layers in LAYERS, which the page runs in eval mode. What `still` draws, and its description `alt`,
    stay in the saved notebook. All of it lies in `data`, as the module's `mount(element, data)` gets it.
    """

    module: str
    data = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        values: Mapping,
        tensors: Mapping[str, torch.Tensor],
        networks: Mapping[str, nn.Module],
        still: Callable[[], Figure | Image.Image],
        alt: str,
    ):
        self._esm = bundle(self.module)
        layers = {name: layers_of(name, network) for name, network in networks.items()}
        super().__init__(data={**values, "networks": layers, "tensors": pack(tensors, networks)})
        self.still, self.alt = still(), alt

    def _repr_mimebundle_(self, **keywords):
        # None stands for a widget without a view, which a demo is not.
        view, metadata = super()._repr_mimebundle_(**keywords)  # type: ignore[misc]
        return {**view, **picture_bundle(self.still, self.alt)}, metadata


def stored_still(name: str) -> Callable[[], Image.Image]:
    """The picture of a demo that `python -m workshop.stills` took in a browser, as `WebDemo` wants it."""
    return lambda: Image.open(WEB / "stills" / f"{name}.png")


def joined(name: str) -> str:
    """The source of `web/NAME.js` and of the modules that it imports, each once, without imports and exports."""
    return re.sub(r"^export ", "", "\n".join(_sources(name).values()), flags=re.MULTILINE)


def _sources(name: str) -> dict[str, str]:
    source = (WEB / f"{name}.js").read_text(encoding="utf-8")
    sources: dict[str, str] = {}
    for imported in IMPORT.findall(source):
        sources |= _sources(imported)
    return {**sources, name: IMPORT.sub("", source)}


def bundle(name: str) -> str:
    """`joined` as one ES module, as anywidget wants it: its export mounts the demo with the widget's data."""
    return (
        f"{joined(name)}\nexport default {{ render: ({{ model, el }}) => mount(el, model.get('data')) }};\n"
    )


def layers_of(name: str, network: nn.Module) -> list[dict]:
    """The layers of a network as web/nets.js runs them; `name` is that of the network in the demo's data.

    Raises ValueError for a layer that is not in LAYERS, and for one with settings that the page does not know.
    """
    layers = []
    for key, layer in network.named_modules(remove_duplicate=False):
        if isinstance(layer, nn.Sequential):
            continue
        kind = type(layer).__name__
        if type(layer) not in LAYERS:
            known = ", ".join(known.__name__ for known in LAYERS)
            raise ValueError(
                f"{name} must be an nn.Sequential of layers that the page can run ({known}); got {kind}"
            )
        if not _is_plain(layer):
            raise ValueError(
                f"{name} must have square kernels, without dilation, groups and output padding, pooling whose stride "
                f"is its size, without padding, and else what PyTorch does by default; got {layer}"
            )
        layers.append({"kind": kind, "name": f"{name}.{key}".rstrip("."), **LAYERS[type(layer)](layer)})
    return layers


def _is_plain(layer: nn.Module) -> bool:
    """Whether web/nets.js, which takes the rest for granted, computes what this one of LAYERS does."""
    match layer:
        case nn.Conv2d() | nn.ConvTranspose2d():
            pairs = (layer.kernel_size, layer.stride, layer.padding)
            others = (layer.dilation, layer.groups, layer.output_padding, layer.padding_mode)
            return all(len(set(pair)) == 1 for pair in pairs) and others == ((1, 1), 1, (0, 0), "zeros")
        case nn.MaxPool2d():
            others = (layer.stride, layer.padding, layer.dilation, layer.ceil_mode)
            return isinstance(layer.kernel_size, int) and others == (layer.kernel_size, 0, 1, False)
        case nn.BatchNorm1d() | nn.BatchNorm2d():
            return layer.running_mean is not None
        case nn.Flatten():
            return (layer.start_dim, layer.end_dim) == (1, -1)
        case nn.Unflatten():
            return layer.dim == 1 and min(layer.unflattened_size) > 0
        case nn.GELU():
            return layer.approximate == "none"
        case nn.Softmax():
            return layer.dim in (1, -1)
    return True


def layers_of_judge(judge: Judge) -> nn.Sequential:
    """The layers of what `load_judge` returns, from pixels to probabilities. Raises ValueError for anything else."""
    if not isinstance(judge, Judge):
        raise ValueError(f"judge must be what load_judge returns; got {type(judge).__name__}")
    return nn.Sequential(judge.classifier.extractor, judge.classifier.head, nn.Softmax(dim=1))


def pack(tensors: Mapping[str, torch.Tensor], networks: Mapping[str, nn.Module]) -> bytes:
    """Tensors, and the weights of networks, as one safetensors file: bytes, and numbers as short as they stay exact."""
    named = dict(tensors)
    for name, network in networks.items():
        named |= {
            f"{name}.{key}": value for key, value in network.state_dict().items() if value.is_floating_point()
        }
    return safetensors.torch.save({name: _smallest(tensor) for name, tensor in named.items()})


def _smallest(tensor: torch.Tensor) -> torch.Tensor:
    # A clone, since networks may share layers, which safetensors refuses.
    tensor = tensor.detach().cpu().contiguous().clone()
    if tensor.dtype == torch.uint8:
        return tensor
    short = (tensor.to(dtype) for dtype in (torch.float8_e4m3fn, torch.float16))
    return next(
        (shorter for shorter in short if torch.equal(shorter.to(tensor.dtype), tensor)), tensor.float()
    )
