"""Goldens for the CAM family.

Writes small classifiers (random weights, the same in PyTorch and ONNX: one of ReLUs, one of SiLUs, whose maps are negative too, and
a vision transformer) and the raw maps that pytorch-grad-cam and torch-cam compute on them: before their last ReLU, before they scale and enlarge.
From this folder, with requirements.txt installed:

    python cams.py ../../test/fixtures/conformance/cams

Where a peer departs from the paper, the golden is that of a literal reference below, and of the peer only where Limelight has
its formula as a dialect:

- Grad-CAM++: pytorch-grad-cam adds 1e-6 to a denominator that is made of squares of gradients, which decides wherever |g| is
  below 1e-3; torch-cam 0.5.0 divides a copy (`alpha[idx][mask].div_(...)`, a masked tensor is one), so that its weights are the sum of
  ReLU(g)^3; Xplique takes the means of A and of the products for their sums. Xplique needs TensorFlow, so its golden is a literal
  copy of its formula (xplique/attributions/grad_cam_pp.py at commit 19c5014c7300536e20e63a929530e590f9555305).
- XGrad-CAM: both peers add an epsilon to the sum of a channel, which may be near zero or negative behind a SiLU. Limelight leaves
  out channels whose values cancel; the goldens are the peer's where none does (`cancelling` says so).
- Score-CAM: the paper enlarges a channel and then brings it to 0..1. pytorch-grad-cam does so by corners (UpsamplingBilinear2d is
  align_corners=True), Limelight by middles, as everywhere; torch-cam scales first, so that its masks do not reach 0 and 1.
- Ablation-CAM: where the layer has a negative value pytorch-grad-cam sets a channel to min(A) - 1e7 instead of zero ("deviating
  from the paper", as its comment says), and it divides by S_c of any sign. The golden is the reference there.
- Eigen-CAM: the sign of a component is arbitrary. Goldens are turned to the side that correlates with the mean over channels. The paper
  does not centre; the golden with centred = false is the reference.
- Finer-CAM: pytorch-grad-cam weighs the references by their probabilities and differentiates them; torch-cam takes their mean, as
  the paper.
"""

import contextlib
import datetime
import io
import json
import platform
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy
import onnx
import torch
from torch import nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parent.parent / "networks"))
from exporters import every_tensor, export, find  # noqa: E402
from goldens import randomise  # noqa: E402

import pytorch_grad_cam as gradcam  # noqa: E402
import torchcam.methods as torchcam  # noqa: E402
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget  # noqa: E402
from torchvision.models import VisionTransformer  # noqa: E402

SEED = 11
CLASSES = 5
SIDE = 24
OPSET = 17
LIBRARIES = ("grad-cam", "torchcam", "numpy", "onnx", "torch", "torchvision")


class Residual(nn.Module):
    def __init__(self, channels: int, activation: type):
        super().__init__()
        self.way = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        self.activation = activation()

    def forward(self, x):
        return self.activation(x + self.way(x))


class Small(nn.Module):
    """Biases beside and folded into convolutions, a way round, and a head that gives each place a slope of its own."""

    def __init__(self, activation: type):
        super().__init__()
        self.early = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), activation(), nn.MaxPool2d(2))
        self.middle = nn.Sequential(nn.Conv2d(8, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12), activation())
        self.residual = Residual(12, activation)
        self.late = nn.Sequential(nn.Conv2d(12, 10, 3, stride=2, padding=1), activation())
        self.head = nn.Sequential(nn.AvgPool2d(3), nn.Flatten(), nn.Linear(10 * 2 * 2, CLASSES))

    def forward(self, image):
        return self.head(self.late(self.residual(self.middle(self.early(image)))))


class Reading:
    """A, g and S_c of one layer, in double precision: [C, h, w] each, and a number."""

    def __init__(self, network: nn.Module, layer: nn.Module, image: torch.Tensor, index: int):
        kept = []
        handle = layer.register_forward_hook(lambda _m, _i, output: kept.append(output))
        logits = network(image)
        handle.remove()
        (gradient,) = torch.autograd.grad(logits[0, index], kept[0])
        self.activation = kept[0][0].detach().numpy()
        self.gradient = gradient[0].detach().numpy()
        self.score = float(logits[0, index])


def weighted(weights: numpy.ndarray, reading: Reading) -> numpy.ndarray:
    return numpy.einsum("k,khw->hw", weights, reading.activation)


def relu(values):
    return numpy.maximum(values, 0)


# Literal references, equation by equation.


def grad_cam_plus_plus(r: Reading) -> numpy.ndarray:
    """Chattopadhyay 2018, equation 19."""
    g, total = r.gradient, r.activation.sum((1, 2), keepdims=True)
    below = 2 * g**2 + total * g**3
    alpha = numpy.where(g != 0, g**2 / numpy.where(below == 0, 1, below), 0)
    return weighted((alpha * relu(g)).sum((1, 2)), r)


def xplique_grad_cam_plus_plus(r: Reading) -> numpy.ndarray:
    g = r.gradient
    below = 2 * g**2 + g**3 * r.activation.mean((1, 2), keepdims=True)
    below = below + (below == 0) * 1e-4
    return weighted((g**2 / below * relu(g)).mean((1, 2)), r)


def component(cells: numpy.ndarray, centred: bool = True) -> numpy.ndarray:
    """Cells [C, h, w] along their first right singular vector, on the side of the mean over channels."""
    samples = cells.reshape(len(cells), -1).T
    if centred:
        samples = samples - samples.mean(0)
    _, _, directions = numpy.linalg.svd(samples, full_matrices=False)
    return oriented((samples @ directions[0]).reshape(cells.shape[1:]), cells)


def oriented(found: numpy.ndarray, cells: numpy.ndarray) -> numpy.ndarray:
    agreement = numpy.corrcoef(found.ravel(), cells.mean(0).ravel())[0, 1]
    return -found if agreement < 0 else found


def score_cam(network: nn.Module, image: torch.Tensor, index: int, r: Reading) -> numpy.ndarray:
    """Wang 2020, equations 5 to 8 and algorithm 1."""
    maps = torch.tensor(r.activation)[None]
    masks = functional.interpolate(maps, image.shape[2:], mode="bilinear", align_corners=False)[0]
    least, most = masks.amin((1, 2), keepdim=True), masks.amax((1, 2), keepdim=True)
    masks = torch.where(most > least, (masks - least) / (most - least).clamp(min=1e-30), 0)
    with torch.no_grad():
        scores = torch.stack([network(image * mask)[0, index] for mask in masks])
        baseline = network(torch.zeros_like(image))[0, index]
    return weighted(torch.softmax(scores - baseline, 0).numpy(), r)


def ablation_cam(network: nn.Module, layer: nn.Module, image: torch.Tensor, index: int, r: Reading) -> numpy.ndarray:
    """Desai 2020, equation 3, with |S_c| for S_c."""
    drops = []
    for channel in range(len(r.activation)):
        keep = torch.ones(1, len(r.activation), 1, 1, dtype=torch.double)
        keep[0, channel] = 0
        handle = layer.register_forward_hook(lambda _m, _i, output: output * keep)
        with torch.no_grad():
            drops.append(r.score - float(network(image)[0, index]))
        handle.remove()
    return weighted(numpy.array(drops) / abs(r.score), r)


# Peers, before they rectify and scale.


def raw(method: type, network: nn.Module, layer: nn.Module, image: torch.Tensor, index: int) -> numpy.ndarray:
    found = []
    with method(network, [layer]) as cam:
        own = cam.get_cam_image
        cam.get_cam_image = lambda *given: found.append(own(*given)) or found[-1]
        cam(input_tensor=image, targets=[ClassifierOutputTarget(index)])
    return numpy.asarray(found[0][0], dtype=float)


def raw_finer(network: nn.Module, layer: nn.Module, image: torch.Tensor, index: int) -> numpy.ndarray:
    found = []
    with gradcam.FinerCAM(network, [layer]) as cam:
        own = cam.base_cam.get_cam_image
        cam.base_cam.get_cam_image = lambda *given: found.append(own(*given)) or found[-1]
        cam(input_tensor=image, target_idx=index)
    return numpy.asarray(found[0][0], dtype=float)


def raw_full_grad(network: nn.Module, image: torch.Tensor, index: int) -> numpy.ndarray:
    found = []
    with gradcam.FullGrad(network, []) as cam:
        own = cam.compute_cam_per_layer
        cam.compute_cam_per_layer = lambda *given: found.append(own(*given)) or found[-1]
        cam(input_tensor=image.detach().clone(), targets=[ClassifierOutputTarget(index)])
    return numpy.asarray(found[0], dtype=float).reshape(-1, SIDE, SIDE).sum(0)


def torch_cam(method, network: nn.Module, layer: nn.Module, image: torch.Tensor, index: int) -> numpy.ndarray:
    """Its weights times what it hooked."""
    name = next(name for name, module in network.named_modules() if module is layer)
    with method(network, name, input_shape=tuple(image.shape[1:])) as cam:
        scores = network(image)
        weights = cam._get_weights(index, scores=scores)[0][0].detach().double().numpy()
        return numpy.einsum("k,khw->hw", weights, cam.hook_a[0][0].detach().numpy())


def torch_cam_finer(network: nn.Module, layer: nn.Module, image: torch.Tensor, index: int, r: Reading) -> numpy.ndarray:
    """Its own choice of references, and Grad-CAM of its objective, y_c - gamma mean y_d, with its own default gamma."""
    with torch.no_grad():
        scores = network(image)
    extractor = torchcam.FinerCAM(network, next(n for n, m in network.named_modules() if m is layer), (3, SIDE, SIDE))
    targets = torch.tensor([[index]])
    others = extractor._reference_indices(None, scores, [index], targets)[0].tolist()
    of = [Reading(network, layer, image, other).gradient for other in others]
    gradient = r.gradient - extractor.gamma * numpy.mean(of, axis=0)
    extractor.remove_hooks()
    return weighted(gradient.mean((1, 2)), r)


def guided(network: nn.Module, layer: nn.Module, image: torch.Tensor, index: int) -> numpy.ndarray:
    """pytorch-grad-cam's guided backpropagation, its colours added, times ReLU(Grad-CAM) enlarged by middles."""
    cam = relu(raw(gradcam.GradCAM, network, layer, image, index))
    where = functional.interpolate(torch.tensor(cam)[None, None], (SIDE, SIDE), mode="bilinear", align_corners=False)
    fine = gradcam.GuidedBackpropReLUModel(network, device="cpu")(image.detach().clone(), target_category=index)
    return where[0, 0].numpy() * fine.sum(-1)


def of_layers(network: nn.Module, layers: list[nn.Module], image: torch.Tensor, index: int) -> numpy.ndarray:
    """pytorch-grad-cam's Grad-CAM of several layers, but for its last scaling to 0..1."""
    with gradcam.GradCAM(network, layers) as cam:
        cam.aggregate_multi_layers = lambda maps: numpy.concatenate(maps, axis=1).mean(1)
        return cam(input_tensor=image, targets=[ClassifierOutputTarget(index)])[0]


def maps_at(network: nn.Module, layer: nn.Module, image: torch.Tensor, index: int, rectified: bool):
    """(method, parameters, by, map) of one layer and one class."""
    r = Reading(network, layer, image, index)
    peer = lambda method: raw(method, network, layer, image, index)
    yield "grad-cam", {}, "pytorch-grad-cam", peer(gradcam.GradCAM)
    yield "hires-cam", {}, "pytorch-grad-cam", peer(gradcam.HiResCAM)
    yield "layer-cam", {}, "pytorch-grad-cam", peer(gradcam.LayerCAM)
    yield "elementwise-grad-cam", {}, "pytorch-grad-cam", peer(gradcam.GradCAMElementWise)
    sums, sizes = r.activation.sum((1, 2)), numpy.abs(r.activation).sum((1, 2))
    assert not numpy.any(numpy.abs(sums) < 1e-3 * sizes), "a channel cancels: choose another seed"
    yield "xgrad-cam", {}, "pytorch-grad-cam", peer(gradcam.XGradCAM)
    yield "eigen-cam", {}, "pytorch-grad-cam", oriented(peer(gradcam.EigenCAM), r.activation)
    yield "eigen-cam", {"centred": False}, "reference", component(r.activation, centred=False)
    products = r.activation * r.gradient
    yield "eigen-grad-cam", {}, "pytorch-grad-cam", oriented(peer(gradcam.EigenGradCAM), products)
    yield "grad-cam-plus-plus", {}, "reference", grad_cam_plus_plus(r)
    name = "grad-cam-plus-plus"
    yield name, {"dialect": "pytorch-grad-cam"}, "pytorch-grad-cam", peer(gradcam.GradCAMPlusPlus)
    yield name, {"dialect": "torch-cam"}, "torch-cam", torch_cam(torchcam.GradCAMpp, network, layer, image, index)
    yield name, {"dialect": "xplique"}, "reference", xplique_grad_cam_plus_plus(r)
    yield "score-cam", {}, "reference", score_cam(network, image, index, r)
    yield "score-cam", {"dialect": "pytorch-grad-cam"}, "pytorch-grad-cam", peer(gradcam.ScoreCAM)
    own = ablation_cam(network, layer, image, index, r)
    if rectified and r.score > 0:
        theirs = peer(gradcam.AblationCAM)
        assert numpy.abs(own - theirs).max() < 1e-4 * numpy.abs(theirs).max()
        yield "ablation-cam", {}, "pytorch-grad-cam", theirs
    else:
        yield "ablation-cam", {}, "reference", own
    yield "finer-cam", {}, "torch-cam", torch_cam_finer(network, layer, image, index, r)
    finer = {"dialect": "pytorch-grad-cam", "strength": 1}
    yield "finer-cam", finer, "pytorch-grad-cam", raw_finer(network, layer, image, index)
    fine = guided(network, layer, image, index) if rectified else numpy.zeros(0)
    if fine.any():  # empty where Grad-CAM is nowhere positive
        yield "guided-grad-cam", {}, "pytorch-grad-cam", fine


def numbers(values) -> list[float]:
    return [float(f"{value:.6g}") for value in numpy.asarray(values, dtype=float).ravel()]


def golden(name: str, activation: type, folder: Path) -> dict:
    network = randomise(Small(activation), SEED)
    generator = torch.Generator().manual_seed(SEED)
    image = torch.randn(1, 3, SIDE, SIDE, generator=generator)
    path = folder / f"{name}.onnx"
    export(network, {"image": image}, "torchscript", OPSET, path, ("batch",))
    values = every_tensor(path, {"image": image})
    layers = {"early": network.early, "residual": network.residual, "late": network.late}
    taps = {}
    for label, layer in layers.items():
        kept = []
        handle = layer.register_forward_hook(lambda _m, _i, output: kept.append(output.detach()))
        logits = network(image)
        handle.remove()
        taps[label] = find(values, kept[0])
    network, image = network.double(), image.double()
    classes = torch.argsort(logits[0], descending=True).tolist()
    maps = []
    for index in (classes[0], classes[1], classes[-1]):
        for label, layer in layers.items():
            if label == "early" and index != classes[0]:
                continue
            for method, params, by, found in maps_at(network, layer, image, index, name == "rectified"):
                extent = list(found.shape)
                maps.append(dict(method=method, params=params, tap=label, index=index, by=by, extent=extent, map=numbers(found)))
        if name == "rectified" or index == classes[0]:
            found = raw_full_grad(network, image, index)
            maps.append(dict(method="full-grad", params={}, tap=None, index=index, by="pytorch-grad-cam", extent=[SIDE, SIDE], map=numbers(found)))
    several = numbers(of_layers(network, list(layers.values()), image, classes[0]))
    layers_golden = dict(index=classes[0], taps=list(taps.values()), by="pytorch-grad-cam", map=several)
    return dict(
        name=name,
        model=path.name,
        taps=taps,
        image=numbers(image),
        logits=numbers(logits.detach()),
        maps=maps,
        several=layers_golden,
    )


def golden_transformer(name: str, folder: Path) -> dict:
    """LeGrad by torch-cam, of all blocks and of the last one."""
    network = randomise(VisionTransformer(32, 8, 3, 2, 16, 32, num_classes=CLASSES), SEED)
    image = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(SEED))
    path = folder / f"{name}.onnx"
    export(network, {"image": image}, "dynamo", OPSET, path, ("batch",))
    logits = network(image)[0].detach()
    network = network.double()
    blocks = list(network.encoder.layers)
    maps = []
    for index in torch.argsort(logits, descending=True).tolist()[:3]:
        for params, of in (({}, blocks), ({"layers": 1}, blocks[-1:])):
            with torchcam.LeGrad(network, of) as cam:
                network(image.double())
                found = torch.stack(cam._get_weights(index)).mean(0)[0].detach().numpy()
            maps.append(dict(method="legrad", params=params, tap=None, index=index, by="torch-cam", extent=[4, 4], map=numbers(found)))
    return dict(name=name, model=path.name, taps={}, image=numbers(image), logits=numbers(logits), maps=maps)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    provenance = {
        "script": "bench/conformance/cams.py",
        "command": "python cams.py ../../test/fixtures/conformance/cams",
        "date": datetime.date.today().isoformat(),
        "seed": SEED,
        "python": platform.python_version(),
        "versions": {library: version(library) for library in LIBRARIES},
    }
    with contextlib.redirect_stderr(io.StringIO()):  # progress bars
        networks = [
            golden("rectified", nn.ReLU, folder),
            golden("smooth", nn.SiLU, folder),
            golden_transformer("transformer", folder),
        ]
    text = json.dumps({"provenance": provenance, "networks": networks}, separators=(",", ":"))
    (folder / "goldens.json").write_text(text + "\n")
    print(f"{len(text) / 1000:.0f} kB, {sum(len(one['maps']) for one in networks)} maps")


if __name__ == "__main__":
    main()
