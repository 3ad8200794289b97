"""What PyTorch's autograd says: logits, values and gradients at named modules."""

import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator
from unittest import mock

import torch
from torch import nn

MARGIN = 1e-5
"""How far rectifiers are kept from their kinks, in units of the largest value of the channel: ten times float32's rounding."""
POOLING_MARGIN = 3e-6


def randomise(network: nn.Module, seed: int) -> nn.Module:
    """Draws every parameter and running statistic anew, so that no layer is trivially an identity. In place."""
    generator = torch.Generator().manual_seed(seed)

    def draw(shape, mean: float, deviation: float) -> torch.Tensor:
        return mean + deviation * torch.randn(shape, generator=generator)

    norms = (nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)
    with torch.no_grad():
        for module in network.modules():
            for name, parameter in module.named_parameters(recurse=False):
                if isinstance(module, norms) or "norm" in type(module).__name__.lower():
                    value = draw(parameter.shape, 1.0, 0.2) if name == "weight" else draw(parameter.shape, 0.0, 0.2)
                elif isinstance(module, nn.Embedding):
                    value = draw(parameter.shape, 0.0, 0.7)
                elif name == "layer_scale":
                    value = draw(parameter.shape, 0.8, 0.2)
                elif parameter.ndim < 2 or name in ("class_token", "pos_embedding", "relative_position_bias_table"):
                    value = draw(parameter.shape, 0.0, 0.2)
                else:  # convolution or matrix: keeps the scale of a rectified signal
                    fan_in = parameter[0].numel()
                    if type(module).__name__ == "Conv1D":  # GPT-2's, [in, out]
                        fan_in = parameter.shape[0]
                    value = draw(parameter.shape, 0.0, (2.0 / fan_in) ** 0.5)
                parameter.copy_(value)
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.copy_(draw(module.running_mean.shape, 0.0, 0.2))
                module.running_var.copy_(0.6 + torch.rand(module.running_var.shape, generator=generator))
            if hasattr(module, "inplace"):
                module.inplace = False  # a hooked value must not be overwritten
    return network.eval()


class Golden:
    """One forward and backward run: `logits`, and per module its `values` and `gradients`."""

    def __init__(self, network: nn.Module, inputs: dict[str, torch.Tensor], cotangent: torch.Tensor, taps: Iterable[str]):
        kept: dict[str, torch.Tensor] = {}

        def keep(name: str):
            def hook(_module, _arguments, output):
                value = output[0] if isinstance(output, tuple) else output
                value = value.clone()
                value.requires_grad_(True)
                value.retain_grad()
                kept[name] = value  # a module that runs twice (ALBERT) is met at its last run
                return (value, *output[1:]) if isinstance(output, tuple) else value

            return hook

        handles = [network.get_submodule(name).register_forward_hook(keep(name)) for name in taps]
        leaves = {}
        for name, value in inputs.items():
            leaves[name] = value.clone().requires_grad_(True) if value.is_floating_point() else value
        try:
            logits = network(*leaves.values())
            (logits * cotangent).sum().backward()
        finally:
            for handle in handles:
                handle.remove()
        network.zero_grad(set_to_none=True)
        kept |= {name: value for name, value in leaves.items() if value.is_floating_point()}
        self.logits = logits.detach()
        self.values = {name: value.detach() for name, value in kept.items()}
        self.gradients = {name: value.grad.detach() for name, value in kept.items()}


def in_double(network: nn.Module, inputs: dict[str, torch.Tensor], cotangent: torch.Tensor, taps: Iterable[str]) -> Golden:
    """The same run in 64 bits: the measure of how well conditioned a golden is."""
    wide = {name: value.double() if value.is_floating_point() else value for name, value in inputs.items()}
    return Golden(copy.deepcopy(network).double(), wide, cotangent.double(), taps)


def keep_off_kinks(network: nn.Module, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Moves the network a little, so that no rectifier is within rounding of its kink on these inputs, and no two values of a
    max pooling's window within rounding of each other. In place.

    There one float32 computation passes a gradient on and the next does not, and both are right. Among the ten million
    rectifiers of a full-size network there are always some. A batch norm's bias moves by the least that helps its rectifier;
    where a pooling cannot tell two values apart, the kernel row that made them is drawn anew, a twentieth away.
    Returns what was moved, by name.
    """
    moved: dict[str, torch.Tensor] = {}
    for _ in range(10):  # what was moved late may bring back a kink earlier on, in a branch that had run
        watch = Watch(network)
        with torch.no_grad(), watch.watching():
            network(*inputs.values())
        moved |= {name: parameter.detach().clone() for name, parameter in watch.moved.items()}
        if not watch.redrawn:
            return moved
    raise RuntimeError("no network without kinks on these inputs, in ten passes")


class Watch:
    """One forward pass with rectifiers and poolings watched: see keep_off_kinks."""

    def __init__(self, network: nn.Module):
        kinds = (nn.BatchNorm2d, nn.Conv2d)
        self.names = {module: name for name, module in network.named_modules() if isinstance(module, kinds)}
        self.moved: dict[str, nn.Parameter] = {}
        self.redrawn = 0
        self.generator = torch.Generator().manual_seed(0)
        self.norm: nn.BatchNorm2d | None = None
        self.conv: tuple[nn.Conv2d, torch.Tensor] | None = None
        self.made: list[tuple[torch.Tensor, nn.BatchNorm2d, nn.Conv2d, torch.Tensor]] = []
        """Rectified maps and how they came about: norm(conv(input))."""

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        handles = [module.register_forward_hook(self.note) for module in self.names]
        functional, self.max_pool = nn.functional, nn.functional.max_pool2d
        try:
            with (
                mock.patch.object(functional, "relu", self.rectify(functional.relu, 0.0)),
                mock.patch.object(functional, "hardtanh", self.rectify(functional.hardtanh, 0.0, 6.0)),  # what ReLU6 is
                mock.patch.object(functional, "max_pool2d", self.pool),
            ):
                yield
        finally:
            for handle in handles:
                handle.remove()

    def note(self, module: nn.Module, given: tuple[torch.Tensor, ...], _output: torch.Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            self.conv = (module, given[0])
        else:
            self.norm = module

    def move(self, norm: nn.BatchNorm2d, channel: int, values: torch.Tensor, kinks: tuple[float, ...]) -> torch.Tensor:
        shift = shift_off(values.flatten(), kinks)
        norm.bias[channel] += shift
        self.moved[f"{self.names[norm]}.bias"] = norm.bias
        return values + shift

    def rectify(self, function, *kinks: float):
        def run(value: torch.Tensor, *arguments, **settings) -> torch.Tensor:
            norm, conv = self.norm, self.conv
            if norm is None or value.ndim != 4 or norm.num_features != value.shape[1]:
                return function(value, *arguments, **settings)
            value = torch.stack([self.move(norm, at, one, kinks) for at, one in enumerate(value.transpose(0, 1))], 1)
            output = function(value, *arguments, **settings)
            if conv is not None and conv[0].out_channels == value.shape[1] and conv[0].groups == 1:
                self.made.append((output, norm, *conv))
            return output

        return run

    def pool(self, value: torch.Tensor, kernel_size: int, stride: int | None = None, padding: int = 0, *rest, **settings):
        def unclear(one: torch.Tensor) -> torch.Tensor:
            """By channel: does a window hold two values within rounding of each other? Zeros lie behind shut rectifiers."""
            padded = nn.functional.pad(one, (padding,) * 4, value=-torch.inf)
            step = stride or kernel_size
            windows = padded.unfold(2, kernel_size, step).unfold(3, kernel_size, step).flatten(4)
            first, second = windows.topk(2, -1).values.unbind(-1)
            margin = POOLING_MARGIN * one.amax((0, 2, 3), keepdim=True)
            return ((first > 0) & (first - second < margin)).transpose(0, 1).flatten(1).any(1)

        for channel in unclear(value).nonzero().flatten().tolist():
            self.redrawn += 1
            value[:, channel] = self.redraw(value[:, channel : channel + 1], unclear)
        return self.max_pool(value, kernel_size, stride, padding, *rest, **settings)

    def redraw(self, old: torch.Tensor, unclear: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        for output, norm, conv, given in reversed(self.made):
            if output.shape[2:] != old.shape[2:]:
                continue
            equal = (output == old).transpose(0, 1).flatten(1).all(1).nonzero().flatten().tolist()
            if not equal:
                continue
            row = equal[0]
            self.moved[f"{self.names[conv]}.weight"] = conv.weight
            for _ in range(100):
                conv.weight[row] *= 1 + 0.05 * torch.randn(conv.weight[row].shape, generator=self.generator)
                bias = None if conv.bias is None else conv.bias[row : row + 1]
                made = nn.functional.conv2d(given, conv.weight[row : row + 1], bias, conv.stride, conv.padding, conv.dilation)
                scale = norm.weight[row] / (norm.running_var[row] + norm.eps).sqrt()
                normed = (made - norm.running_mean[row]) * scale + norm.bias[row]
                new = self.move(norm, row, normed, (0.0,)).clamp_min(0)
                if not unclear(new).any():
                    output[:, row] = new[:, 0]
                    return new[:, 0]
        raise RuntimeError("a max pooling cannot tell two values apart, and no kernel row was found that helps")


def shift_off(values: torch.Tensor, kinks: tuple[float, ...]) -> torch.Tensor:
    """The smallest shift after which no value lies within MARGIN of a kink."""
    margin = MARGIN * values.abs().max()
    blocked = torch.cat([values - kink for kink in kinks]).sort().values  # a shift of -t for t in here is a kink
    low = torch.cat([blocked.new_tensor([-torch.inf]), blocked]) + margin
    high = torch.cat([blocked, blocked.new_tensor([torch.inf])]) - margin
    free = low <= high
    nearest = torch.minimum(torch.maximum(blocked.new_zeros(()), low[free]), high[free])
    return -nearest[nearest.abs().argmin()]


def distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest absolute difference, in units of the largest expected value."""
    return ((found.double() - expected.double()).abs().max() / expected.double().abs().max().clamp_min(1e-30)).item()
