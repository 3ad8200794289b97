"""Goldens for the text methods that use gradients, bent rules and attention.

Writes tiny classifiers (random weights, the same in PyTorch and ONNX) and what the methods answer on them: by Captum where it
has the method as its paper does, else by the literal references below, in double precision. From this folder:

    python texts.py ../../test/fixtures/conformance/texts
"""

import datetime
import json
import platform
import sys
import warnings
from pathlib import Path

import captum
import numpy
import onnx
import torch
from captum.attr import DeepLift, GradientShap, InputXGradient, IntegratedGradients, LRP
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import nn

SEED = 7
WORDS, SIZE, HEADS, LAYERS, CLASSES, LONGEST = 60, 16, 2, 2, 3, 24
PAD, UNKNOWN, CLS, SEP, MASK = 0, 1, 2, 3, 4
IDS = [CLS, 17, 41, 8, 41, 29, SEP]
TARGET = 1


class Bending:
    """What is done on the way back where a method does something else than the gradient. Forward, all are the same."""

    softmax = staticmethod(lambda weights: weights)
    product = staticmethod(lambda y: y)
    deviation = staticmethod(lambda sigma: sigma)
    activation = staticmethod(lambda f, x: f(x))


class HalvedGradient(torch.autograd.Function):
    """Products of two factors that both vary hand each of them half (Achtibat 2024, 2402.05602, proposition 3.3)."""

    @staticmethod
    def forward(ctx, y):
        return y.clone()

    @staticmethod
    def backward(ctx, g):
        return g / 2


def share(f, x):
    """f(x)/x held constant: what an activation gets it passes on."""
    return x * (f(x) / x).detach()


class AttnLrp(Bending):
    """The softmax keeps its gradient: times the input that is its Taylor decomposition with the bias left out (prop. 3.1)."""

    product = staticmethod(HalvedGradient.apply)
    deviation = staticmethod(torch.Tensor.detach)
    activation = staticmethod(share)


class CpLrp(Bending):
    """Ali 2022, 2202.07304, rules AH and LN: attention weights and deviations are constants."""

    softmax = staticmethod(torch.Tensor.detach)
    deviation = staticmethod(torch.Tensor.detach)
    activation = staticmethod(share)


class CpLrpGradient(CpLrp):
    """As the authors' code, which leaves activations alone."""

    activation = staticmethod(Bending.activation)


class Libra(Bending):
    """Mehri 2024, 2411.16760: gates, attention maps and deviations pruned, products of two scaled by a half."""

    softmax = staticmethod(torch.Tensor.detach)
    deviation = staticmethod(torch.Tensor.detach)

    @staticmethod
    def activation(f, x):
        return x * torch.where(x.abs() > 0, f(x) / x, 0).detach()


class Normalisation(nn.Module):
    def __init__(self, bias: bool):
        super().__init__()
        self.norm = nn.LayerNorm(SIZE, bias=bias)

    def forward(self, x, bend):
        if bend is Bending:
            return self.norm(x)
        centred = x - x.mean(-1, keepdim=True)
        sigma = bend.deviation((centred.square().mean(-1, keepdim=True) + self.norm.eps).sqrt())
        y = centred / sigma * self.norm.weight
        return y if self.norm.bias is None else y + self.norm.bias


class Layer(nn.Module):
    def __init__(self, bias: bool):
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(SIZE, SIZE, bias) for _ in range(4))
        self.up, self.down = nn.Linear(SIZE, 2 * SIZE, bias), nn.Linear(2 * SIZE, SIZE, bias)
        self.after_attention, self.after_forward = Normalisation(bias), Normalisation(bias)
        self.softmax = nn.Softmax(-1)

    def heads(self, x):
        return x.unflatten(-1, (HEADS, SIZE // HEADS)).transpose(1, 2)  # [N, H, T, D]

    def forward(self, x, closed, bend, seen):
        query, key, value = (self.heads(one(x)) for one in (self.query, self.key, self.value))
        product = bend.product(query @ key.transpose(-1, -2)) / (SIZE // HEADS) ** 0.5
        weights = self.softmax(product + closed)
        if seen is not None:
            weights.retain_grad()
            seen.append(weights)
        mixed = bend.product(bend.softmax(weights) @ value)
        x = self.after_attention(x + self.output(mixed.transpose(1, 2).flatten(2)), bend)
        return self.after_forward(x + self.down(bend.activation(nn.functional.gelu, self.up(x))), bend)


class TinyBert(nn.Module):
    """Post-norm encoder, [CLS] read through tanh. Without bias there are no positions either: the words are all there is."""

    def __init__(self, bias: bool = True, pooling: str = "first"):
        super().__init__()
        self.words = nn.Embedding(WORDS, SIZE)
        self.positions = nn.Embedding(LONGEST, SIZE) if bias else None
        self.norm = Normalisation(bias)
        self.layers = nn.ModuleList(Layer(bias) for _ in range(LAYERS))
        self.pooler, self.classifier = nn.Linear(SIZE, SIZE, bias), nn.Linear(SIZE, CLASSES, bias)
        self.pooling = pooling

    def behind(self, words, attention_mask, bend=Bending, seen=None):
        """From the word embedding [N, T, E] to the logits [N, K]."""
        x = words
        if self.positions is not None:
            x = x + self.positions.weight[: words.shape[1]]
        x = self.norm(x, bend)
        closed = ((1 - attention_mask.to(words.dtype)) * -10000.0)[:, None, None]
        for layer in self.layers:
            x = layer(x, closed, bend, seen)
        x = x[:, 0] if self.pooling == "first" else x.mean(1)
        return self.classifier(bend.activation(torch.tanh, self.pooler(x)))

    def forward(self, input_ids, attention_mask):
        return self.behind(self.words(input_ids), attention_mask)


class TinyMlp(nn.Module):
    """Mean of rectified features of the words: what LRP's own rules are enough for."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(WORDS, SIZE)
        self.rest = nn.Sequential(nn.Linear(SIZE, 2 * SIZE), nn.ReLU(), nn.Linear(2 * SIZE, SIZE), nn.Tanh())
        self.classifier = nn.Linear(SIZE, CLASSES)

    def behind(self, words):
        return self.classifier(self.rest(words).mean(1))

    def forward(self, input_ids):
        return self.behind(self.words(input_ids))


def drawn(network: nn.Module, seed: int) -> nn.Module:
    """Weights large enough for attention that differs from word to word."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            centre = 1.0 if "norm.weight" in name else 0.0
            spread = 0.25 if parameter.dim() == 1 else 0.35 if "words" not in name else 1.0
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread + centre)
    return network.eval()


def listed(tensor) -> list:
    return [float(f"{one:.8g}") for one in torch.as_tensor(tensor).detach().flatten().tolist()]


def words_of(network, ids):
    return network.words(torch.tensor([ids])).detach().double().requires_grad_()


def relevance(network, bend):
    """gradient x input at the word embedding, summed over its numbers: [T]."""
    x = words_of(network, IDS)
    logits = network.behind(x, torch.ones(1, len(IDS)), bend)
    (g,) = torch.autograd.grad(logits[0, TARGET], x)
    return {"logits": listed(logits), "scores": listed((g * x).sum(-1)), "norm": listed(g.norm(dim=-1))}


def attention(network):
    """Weights of every layer and the gradients there, [L, H, T, T]."""
    seen: list[torch.Tensor] = []
    logits = network.behind(words_of(network, IDS), torch.ones(1, len(IDS)), seen=seen)
    logits[0, TARGET].backward()
    return torch.cat([one.detach() for one in seen]), torch.cat([one.grad for one in seen])


def rollout(weights, fuse, residual=0.5):
    """Abnar and Zuidema 2020, 2005.00928: A_l = 0.5 W + 0.5 I, rows normalised, multiplied from the last layer down."""
    identity = torch.eye(weights.shape[-1], dtype=weights.dtype)
    product = identity
    for one in weights:
        mixed = (1 - residual) * fuse(one) + residual * identity
        product = (mixed / mixed.sum(-1, keepdim=True)) @ product
    return product


def generic_attention(weights, gradients):
    """Chefer 2021, 2103.15679, equations 5 and 6; less the identity that a token starts with, which is no relevance."""
    relevant = torch.eye(weights.shape[-1], dtype=weights.dtype)
    for one, slope in zip(weights, gradients, strict=True):
        relevant = relevant + (slope * one).clamp(min=0).mean(0) @ relevant
    return relevant - torch.eye(weights.shape[-1], dtype=weights.dtype)


def idgi(f, x, baseline, steps):
    """Yang 2023, 2303.14242, algorithm 1, along the straight path: summed over the embedding, [T]."""
    points = [baseline + (x - baseline) * k / steps for k in range(steps + 1)]
    total = torch.zeros_like(x)
    for here, there in zip(points[:-1], points[1:], strict=True):
        here = here.detach().requires_grad_()
        (g,) = torch.autograd.grad(f(here).sum(), here)
        total += g * g * (f(there) - f(here)).detach() / (g * g).sum()
    return total.sum(-1)


def gradient_shap(f, x, baselines, samples):
    """Captum's, with what it drew: shares of the way and the baselines' numbers."""
    drawn = {"alphas": [], "choices": []}
    uniform, choice = numpy.random.uniform, numpy.random.choice

    def recorded(name, draw):
        def call(*args, **kwargs):
            values = draw(*args, **kwargs)
            drawn[name].extend(numpy.asarray(values).flatten().tolist())
            return values

        return call

    numpy.random.seed(SEED)
    numpy.random.uniform, numpy.random.choice = recorded("alphas", uniform), recorded("choices", choice)
    try:
        attributed = GradientShap(f).attribute(x, baselines=baselines, n_samples=samples, stdevs=0.0, target=TARGET)
    finally:
        numpy.random.uniform, numpy.random.choice = uniform, choice
    return {"scores": listed(attributed.sum(-1)), **drawn}


def of_bert(network):
    double = network.double()
    mask = torch.ones(1, len(IDS))
    x = words_of(double, IDS).detach()

    def logits(words):
        return double.behind(words, mask.expand(len(words), -1))

    blank = [one if one in (CLS, SEP) else MASK for one in IDS]
    masked = words_of(double, blank).detach()
    padded = words_of(double, [one if one in (CLS, SEP) else PAD for one in IDS]).detach()
    weights, gradients = attention(double)
    shap = torch.cat([masked, padded])
    return {
        "logits": listed(logits(x)),
        "input-x-gradient": listed(InputXGradient(logits).attribute(x.clone().requires_grad_(), target=TARGET).sum(-1)),
        "integrated-gradients": listed(
            IntegratedGradients(logits)
            .attribute(x, baselines=masked, target=TARGET, n_steps=32, method="gausslegendre")
            .sum(-1)
        ),
        "gradient-shap": gradient_shap(logits, x, shap, 12),
        "idgi": listed(idgi(lambda words: logits(words)[:, TARGET], x, masked, 24)),
        "attention-rollout": {
            "mean": listed(rollout(weights, lambda one: one.mean(0))[0]),
            "min": listed(rollout(weights, lambda one: one.amin(0))[0]),
            "max": listed(rollout(weights, lambda one: one.amax(0))[0]),
        },
        "attention-gradient": listed(generic_attention(weights, gradients)[0]),
        "attn-lrp": relevance(double, AttnLrp),
        "cp-lrp": relevance(double, CpLrp),
        "cp-lrp-gradient": relevance(double, CpLrpGradient),
        "libra-grad": relevance(double, Libra),
    }


def of_mlp(network):
    """Captum asks for modules: its hooks hand relevance from one to the next, and a mean between them would not share it out.

    So the mean over the tokens is a linear layer here, with the z rule.
    """
    double = network.double()
    x = words_of(double, IDS).detach()
    masked = words_of(double, [one if one in (CLS, SEP) else MASK for one in IDS]).detach()

    class Behind(nn.Module):
        def __init__(self):
            super().__init__()
            self.rest, self.classifier = double.rest, double.classifier
            self.mean = nn.Linear(len(IDS), 1, bias=False).double()
            nn.init.constant_(self.mean.weight, 1 / len(IDS))

        def forward(self, words):
            return self.classifier(self.mean(self.rest(words).transpose(1, 2)).squeeze(-1))

    behind = Behind()
    lifted = DeepLift(behind).attribute(x.clone().requires_grad_(), baselines=masked, target=TARGET).sum(-1)
    propagated = Behind()
    for layer in [*propagated.rest, propagated.classifier]:
        if isinstance(layer, nn.Linear):
            layer.rule = EpsilonRule(epsilon=0.01)
    propagated.mean.rule = EpsilonRule(epsilon=1e-12)
    passed = LRP(propagated).attribute(x.clone().requires_grad_(), target=TARGET).sum(-1)
    return {"logits": listed(behind(x)), "deep-lift": listed(lifted), "lrp": listed(passed)}


def export(network, path: Path, opset: int) -> None:
    inputs = {"input_ids": torch.tensor([IDS])}
    if isinstance(network, TinyBert):
        inputs["attention_mask"] = torch.ones(1, len(IDS), dtype=torch.long)
    axes = {name: {0: "N", 1: "T"} for name in inputs} | {"logits": {0: "N"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.float(), tuple(inputs.values()), str(path), input_names=list(inputs), output_names=["logits"],
            opset_version=opset, dynamo=False, dynamic_axes=axes,
        )  # fmt: skip
    model = onnx.load(path)
    for node in model.graph.node:
        node.doc_string = ""
    onnx.save(model, path)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    bert, mean, bare, mlp = (
        drawn(one, SEED + index)
        for index, one in enumerate((TinyBert(), TinyBert(pooling="mean"), TinyBert(bias=False), TinyMlp()))
    )
    export(bert, folder / "bert.onnx", 20)
    export(bert, folder / "bert-spelled.onnx", 13)
    export(mean, folder / "mean.onnx", 17)
    export(bare, folder / "bias-free.onnx", 17)
    export(mlp, folder / "mlp.onnx", 17)
    weights, gradients = attention(mean.double())
    goldens = {
        "script": "bench/conformance/texts.py",
        "command": "python texts.py ../../test/fixtures/conformance/texts",
        "date": datetime.date.today().isoformat(),
        "seed": SEED,
        "versions": {
            "python": platform.python_version(), "torch": torch.__version__, "captum": captum.__version__,
            "onnx": onnx.__version__, "numpy": numpy.__version__,
        },  # fmt: skip
        "ids": IDS,
        "target": TARGET,
        "bert": of_bert(bert),
        "mean": {
            "attention-rollout": listed(rollout(weights, lambda one: one.mean(0)).mean(0)),
            "attention-gradient": listed(generic_attention(weights, gradients).mean(0)),
        },
        "bias-free": {
            "attn-lrp": relevance(bare.double(), AttnLrp),
            "cp-lrp": relevance(bare.double(), CpLrp),
            "libra-grad": relevance(bare.double(), Libra),
        },
        "mlp": of_mlp(mlp),
    }  # fmt: skip
    (folder / "goldens.json").write_text(json.dumps(goldens, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
