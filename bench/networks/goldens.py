"""What PyTorch's autograd says: logits, values and gradients at named modules."""

import copy
from collections.abc import Iterable

import torch
from torch import nn


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


def distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest absolute difference, in units of the largest expected value."""
    return ((found.double() - expected.double()).abs().max() / expected.double().abs().max().clamp_min(1e-30)).item()
