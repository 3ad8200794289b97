"""Goldens for the image methods that use gradients of single pixels.

Writes a small network (random weights, the same in PyTorch and ONNX), a picture, and what the methods answer on it, in double
precision: by Captum and PAIR's saliency where they compute what the paper says, else by the literal references below. Random
numbers are Limelight's own, so that the same ones are averaged over. From the root of the repository:

    npx tsx bench/conformance/pixels-draws.ts > draws.json
    python bench/conformance/pixels.py draws.json test/fixtures/conformance/pixels

Departures of the peers, and what the golden is:
- saliency's Blur IG takes dL/dsigma by a difference, edges are black, sigma falls in equal steps: the golden is the paper's
  integral, by autograd through mirrored Gaussians, at the points that Limelight takes. Both are brought to the same edges and many
  steps here, and what is left between them is written down (`blur-ig-peer`).
- saliency's Guided IG calls an argument of numpy.quantile by the name it had before numpy 2.4; it is passed on.
- Captum's VarGrad is the variance of all samples divided by their number, which is the paper's.
- Captum 0.9's DeepLIFT reads a wrong cotangent of an activation that a pooling follows at once (decision 9), so none does here.
- IDGI has no package: the golden is algorithm 1 of the paper. Its F is the logit here, as everywhere in Limelight.
"""

import datetime
import json
import math
import platform
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from unittest import mock

import numpy
import torch
from captum.attr import (
    DeepLift, Deconvolution, GradientShap, GuidedBackprop, InputXGradient, IntegratedGradients, LRP, NoiseTunnel, Saliency,
)  # fmt: skip
from captum.attr._utils.lrp_rules import EpsilonRule, GammaRule
from saliency.core import blur_ig as saliency_blur
from saliency.core.guided_ig import guided_ig_impl
from scipy import ndimage
from torch import nn

TARGET, CONDITION = 2, 3e-5
COLOURS, HEIGHT, WIDTH, CLASSES = 3, 16, 20, 5
MEAN, STD = numpy.array([123.0, 116.0, 103.0]), numpy.array([58.0, 57.0, 56.0])
LOWEST, HIGHEST = (0 - MEAN) / STD, (255 - MEAN) / STD
NOISE, STEPS, EPSILON, GAMMA, STABLE = 0.1, 24, 0.01, 0.25, 1e-9
IDGI_STEPS, GUIDED = 16, {"steps": 20, "fraction": 0.25, "max_dist": 0.05}
WIDEST, CUT = 0.1 * HEIGHT, 4

draws = json.loads(Path(sys.argv[1]).read_text())
folder = Path(sys.argv[2])
warnings.filterwarnings("ignore")


class Network(nn.Module):
    """Convolutions of several kinds, and no rectifier used twice. No max pooling: at a picture of one colour all its windows are
    ties, which rounding decides."""

    def __init__(self):
        super().__init__()
        self.conv1, self.relu1 = nn.Conv2d(COLOURS, 8, 3, padding=1), nn.ReLU()
        self.conv2, self.pool, self.relu2 = nn.Conv2d(8, 12, 3, padding=1), nn.AvgPool2d(2), nn.ReLU()
        self.conv3, self.relu3 = nn.Conv2d(12, 12, 3, stride=2, padding=1), nn.ReLU()
        self.conv4, self.mean, self.relu4 = nn.Conv2d(12, 16, 1), nn.AvgPool2d((2, 5)), nn.ReLU()
        self.hidden, self.relu5, self.head = nn.Linear(32, 12), nn.ReLU(), nn.Linear(12, CLASSES)

    def forward(self, x):
        x = self.relu1(self.conv1(x))
        x = self.relu2(self.pool(self.conv2(x)))
        x = self.relu4(self.mean(self.conv4(self.relu3(self.conv3(x)))))
        return self.head(self.relu5(self.hidden(x.flatten(1))))


def made(seed):
    """The network and the picture of a seed, in the model's own numbers."""
    torch.manual_seed(seed)
    network = Network().eval()
    for parameter in network.parameters():
        one = parameter.dim() == 1
        parameter.data = torch.randn_like(parameter) * (0.1 if one else math.sqrt(2.4 / parameter[0].numel()))
    coarse = torch.rand(1, COLOURS, HEIGHT // 4, WIDTH // 4)
    smooth = nn.functional.interpolate(coarse, size=(HEIGHT, WIDTH), mode="bilinear")
    levels = smooth * 200 + 40 * torch.rand(1, COLOURS, HEIGHT, WIDTH)
    return network, ((levels - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)).float()


def mirrored_blur(extent, sigma, radius):
    """The matrix of a Gaussian cut at a radius, edges mirrored about the outer pixels; sigma may be differentiated."""
    taps = torch.arange(-radius, radius + 1, dtype=torch.double)
    weights = torch.exp(-(taps**2) / (2 * sigma**2))
    weights = weights / weights.sum()
    period = 2 * (extent - 1)
    places = (torch.arange(extent).view(-1, 1) + taps.long()) % period
    places = torch.where(places < extent, places, period - places)
    return torch.zeros(extent, extent, dtype=torch.double).index_put(
        (torch.arange(extent).view(-1, 1).expand_as(places), places), weights.expand(extent, -1), accumulate=True
    )

RADIUS = math.ceil(CUT * WIDEST)
SAMPLES = len(draws["noise"])


def blurred_by(x, sigma, radius):
    return mirrored_blur(HEIGHT, sigma, radius).to(x.dtype) @ x @ mirrored_blur(WIDTH, sigma, radius).to(x.dtype).T


def computed(network, picture, dtype):
    """Every golden, and what is left between saliency's Blur IG and the paper's integral."""
    network, x = network.to(dtype), picture.to(dtype)
    black = torch.tensor(LOWEST, dtype=dtype).view(1, 3, 1, 1).expand_as(x).contiguous()
    mean_colour = x.mean((2, 3), keepdim=True).expand_as(x).contiguous()
    unfocused = blurred_by(x, WIDEST, math.ceil(3 * WIDEST))
    ranges = torch.tensor(HIGHEST - LOWEST, dtype=dtype).view(1, 3, 1, 1)
    noise = NOISE * ranges * torch.tensor(draws["noise"], dtype=dtype).view(-1, COLOURS, HEIGHT, WIDTH)


    def score(at):
        return network(at)[:, TARGET]


    def slope(at):
        at = at.detach().requires_grad_()
        return torch.autograd.grad(score(at).sum(), at)[0]


    def over_colours(attribution):
        return attribution.detach().sum(1)[0]


    goldens = {}
    gradient = Saliency(network).attribute(x, target=TARGET, abs=False)
    goldens["gradient"] = over_colours(gradient)
    goldens["gradient absolute"] = over_colours(gradient.abs())
    goldens["gradient channel-max"] = gradient.abs().amax(1)[0]
    goldens["input-x-gradient"] = over_colours(InputXGradient(network).attribute(x, target=TARGET))
    goldens["guided-backprop"] = over_colours(GuidedBackprop(network).attribute(x, target=TARGET))
    goldens["deconvnet"] = over_colours(Deconvolution(network).attribute(x, target=TARGET))
    for rule, name in [("gausslegendre", "gauss-legendre"), ("riemann_middle", "midpoint")]:
        found = IntegratedGradients(network).attribute(x, black, target=TARGET, n_steps=STEPS, method=rule)
        goldens[f"integrated-gradients {name}"] = over_colours(found)
    goldens["deep-lift black"] = over_colours(DeepLift(network).attribute(x, black, target=TARGET))
    goldens["deep-lift mean"] = over_colours(DeepLift(network).attribute(x, mean_colour, target=TARGET))

    CONVOLUTIONS = [network.conv1, network.conv2, network.conv3, network.conv4]
    LINEAR = [network.hidden, network.head]


    def relevance(rule_of):
        for layer in CONVOLUTIONS + LINEAR:
            layer.rule = rule_of(layer)
        found = over_colours(LRP(network).attribute(x, target=TARGET))
        return found


    def composite(layer):
        if layer in LINEAR:
            return EpsilonRule(STABLE)
        rule = GammaRule(gamma=GAMMA) if CONVOLUTIONS.index(layer) < len(CONVOLUTIONS) / 2 else EpsilonRule(EPSILON)
        return rule


    goldens["lrp epsilon"] = relevance(lambda _: EpsilonRule(EPSILON))
    goldens["lrp gamma"] = relevance(lambda _: GammaRule(gamma=GAMMA))
    goldens["lrp composite"] = relevance(composite)


    def with_noise(kind):
        drawn = iter(noise)
        # NoiseTunnel draws copies one behind another, sample by sample.
        with mock.patch("torch.normal", lambda _mean, deviations: torch.stack([next(drawn) for _ in range(len(deviations))])):
            found = NoiseTunnel(Saliency(network)).attribute(
                x, nt_type=kind, nt_samples=SAMPLES, stdevs=1.0, target=TARGET, abs=False
            )  # fmt: skip
        assert next(drawn, None) is None
        return over_colours(found)


    goldens["smooth-grad"] = with_noise("smoothgrad")
    goldens["square-grad"] = with_noise("smoothgrad_sq")
    goldens["var-grad"] = with_noise("vargrad")

    colours = (torch.tensor(draws["colours"], dtype=dtype) * 255 - torch.tensor(MEAN, dtype=dtype)) / torch.tensor(STD, dtype=dtype)
    colours = colours.view(SAMPLES, COLOURS, 1, 1).expand(-1, -1, HEIGHT, WIDTH).contiguous()
    alphas = torch.tensor(draws["alphas"], dtype=dtype)


    def sampled(deviations):
        drawn = iter(noise if deviations else torch.zeros_like(noise))
        with (
            mock.patch("torch.normal", lambda _mean, deviations: torch.stack([next(drawn) for _ in range(len(deviations))])),
            mock.patch("numpy.random.choice", lambda count, size: numpy.arange(size)),
            mock.patch("numpy.random.uniform", lambda low, high, size: alphas.numpy()),
        ):
            found = GradientShap(network).attribute(x, colours, n_samples=SAMPLES, stdevs=1.0, target=TARGET)
        return over_colours(found)


    # Captum's alpha counts from the other end: its point is alpha x + (1 - alpha) b, as ours.
    goldens["gradient-shap"] = sampled(True)
    goldens["expected-gradients"] = sampled(False)


    def blurred(sigma):
        return blurred_by(x, sigma, RADIUS)


    def blur_ig(nodes, weights):
        """Equation 4: the integral of dF/dL dL/dsigma; sigma = widest (1 - s)^2, by s."""
        total = torch.zeros_like(x)
        for s, weight in zip(nodes, weights):
            share = torch.tensor(float(s), dtype=dtype)
            at, way = torch.func.jvp(lambda one: blurred(WIDEST * (1 - one) ** 2), (share,), (torch.ones_like(share),))
            total += weight * slope(at) * way
        return over_colours(total)


    nodes, weights = numpy.polynomial.legendre.leggauss(STEPS)
    goldens["blur-ig"] = blur_ig((nodes + 1) / 2, weights / 2)


    def idgi():
        """Algorithm 1 on the straight path."""
        points = [black + j / IDGI_STEPS * (x - black) for j in range(IDGI_STEPS + 1)]
        total = torch.zeros_like(x)
        for here, there in zip(points, points[1:]):
            g = slope(here)
            total += g**2 / (g**2).sum() * (score(there) - score(here)).detach()
        return over_colours(total)


    goldens["idgi"] = idgi()

    quantile = numpy.quantile


    def as_before(values, share, interpolation):
        return quantile(values, share, method=interpolation)


    with mock.patch("numpy.quantile", as_before):
        walked = guided_ig_impl(
            x[0].numpy(), unfocused[0].numpy(), lambda at: slope(torch.tensor(at, dtype=dtype)[None])[0].numpy(), **GUIDED
        )  # fmt: skip
    goldens["guided-ig"] = torch.tensor(walked).sum(0)


    def peer_blur_difference():
        """Largest difference of saliency's Blur IG, edges mirrored and many steps, from the paper's integral, by its largest value."""
        fine, fine_weights = numpy.polynomial.legendre.leggauss(2000)
        ours = blur_ig((fine + 1) / 2, fine_weights / 2)

        def answer(batch, call_model_args=None, expected_keys=None):
            return {saliency_blur.INPUT_OUTPUT_GRADIENTS: slope(torch.tensor(batch, dtype=dtype).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()}

        def mirrored(image, sigma):
            return image if sigma == 0 else ndimage.gaussian_filter(image, [sigma, sigma, 0], mode="mirror", radius=[RADIUS, RADIUS, 0])

        with mock.patch.object(saliency_blur, "gaussian_blur", mirrored):
            found = saliency_blur.BlurIG().GetMask(
                x[0].permute(1, 2, 0).numpy(), answer, max_sigma=WIDEST, steps=4000, grad_step=1e-5, batch_size=1
            )  # fmt: skip
        theirs = torch.tensor(found).sum(-1)
        return float((theirs - ours).abs().max() / ours.abs().max())

    return goldens, (peer_blur_difference() if dtype == torch.double else None)


# A rectifier within rounding of its kink is on in one precision and off in the other: such seeds are passed over.
for seed in range(100):
    network, picture = made(seed)
    exact, peer_blur = computed(network, picture, torch.double)
    rounded, _ = computed(network, picture, torch.float)
    conditions = {
        name: float((rounded[name] - one).abs().max() / one.abs().max()) for name, one in exact.items()
    }
    if max(conditions.values()) < CONDITION:
        break
    print(seed, max(conditions, key=conditions.get), max(conditions.values()))
else:
    raise SystemExit("no seed is well conditioned")
network = network.float()
torch.onnx.export(
    network, (picture,), folder / "network.onnx", input_names=["image"], output_names=["logits"], opset_version=17,
    dynamic_axes={"image": {0: "rows"}, "logits": {0: "rows"}}, dynamo=False,
)  # fmt: skip


def listed(values):
    return [float(f"{one:.8g}") for one in torch.as_tensor(values).flatten().tolist()]


(folder / "goldens.json").write_text(
    json.dumps(
        {
            "script": "bench/conformance/pixels.py",
            "command": "python bench/conformance/pixels.py draws.json test/fixtures/conformance/pixels",
            "date": datetime.date.today().isoformat(),
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in ("captum", "numpy", "onnx", "saliency", "scipy", "torch")},
            },
            "seed": draws["seed"],
            "networkSeed": seed,
            "target": TARGET,
            "height": HEIGHT,
            "width": WIDTH,
            "mean": MEAN.tolist(),
            "std": STD.tolist(),
            "settings": {
                "noise": NOISE, "samples": SAMPLES, "steps": STEPS, "epsilon": EPSILON, "gamma": GAMMA,
                "idgiSteps": IDGI_STEPS, "guided": GUIDED, "widest": 0.1,
            },  # fmt: skip
            "picture": listed(picture),
            "logits": listed(network.double()(picture.double())),
            "differences": {"blur-ig-peer": peer_blur},
            "conditions": conditions,
            "goldens": {name: listed(values) for name, values in exact.items()},
        }
    )
    + "\n"
)
