"""The torch modules that the peers explain, with the weights of the very ONNX files that Limelight explains.

Images: torchvision's own ResNet and MobileNet v2. The ONNX files hold convolutions with a bias, as every exporter folds
batch normalisation; here the bias is the normalisation's shift, with statistics that make the rest of it the identity.
Texts: transformers' BertModel with mean pooling, and DistilBertForSequenceClassification.
"""

import math
from pathlib import Path

import numpy
import onnx
import torch
import torchvision
from torch import nn
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertForSequenceClassification

ATTENTION = "sdpa"
"""Never slower here than "eager": the same for MiniLM with ten points at once, a quarter less time with 50; for DistilBERT 7 % less."""

DISTILBERT_SEED = 0


def weights(path: Path) -> dict[str, torch.Tensor]:
    """The initialisers as float32, by name; `name.fp16` and the Cast behind it are one tensor called `name`."""
    return {
        one.name.removesuffix(".fp16"): torch.from_numpy(onnx.numpy_helper.to_array(one).astype(numpy.float32))
        for one in onnx.load(path).graph.initializer
    }


def _normalised(state: dict, convolution: str, normalisation: str, name: str, given: dict, epsilon: float = 1e-5) -> None:
    """A convolution with a bias, as a convolution without one and a normalisation that only shifts."""
    bias = given[f"{name}.bias"]
    state[f"{convolution}.weight"] = given[f"{name}.weight"]
    state[f"{normalisation}.weight"] = torch.ones_like(bias)
    state[f"{normalisation}.bias"] = bias
    state[f"{normalisation}.running_mean"] = torch.zeros_like(bias)
    state[f"{normalisation}.running_var"] = torch.full_like(bias, 1 - epsilon)


def _filled(network: nn.Module, state: dict[str, torch.Tensor]) -> nn.Module:
    missing, unexpected = network.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith(("num_batches_tracked", "position_ids"))]
    if missing or unexpected:
        raise ValueError(f"not the same network: without weights {missing}, without a place {unexpected}")
    return network.eval()


def resnet(name: str, path: Path) -> nn.Module:
    network = getattr(torchvision.models, name.replace("-", ""))(weights=None)
    given, state = weights(path), {}
    for key in (one.removesuffix(".weight") for one in given if one.endswith(".weight")):
        if key == "classifier":
            state["fc.weight"], state["fc.bias"] = given["classifier.weight"], given["classifier.bias"]
        elif key.endswith("downsample"):
            _normalised(state, f"{key}.0", f"{key}.1", key, given)
        else:
            _normalised(state, key, key.replace("conv", "bn"), key, given)
    return _filled(network, state)


def mobilenet_v2(path: Path) -> nn.Module:
    network = torchvision.models.mobilenet_v2(weights=None)
    given, state = weights(path), {}
    for key in (one.removesuffix(".weight") for one in given if one.endswith(".weight")):
        if key == "classifier":
            state["classifier.1.weight"], state["classifier.1.bias"] = given["classifier.weight"], given["classifier.bias"]
            continue
        block, part = key.rsplit(".", 1)
        expands = f"{block}.expand.weight" in given
        place = {"conv": "0", "expand": "conv.0.0", "depthwise": f"conv.{int(expands)}.0", "project": f"conv.{1 + expands}"}[part]
        head, position = f"{block}.{place}".rsplit(".", 1)
        _normalised(state, f"{head}.{position}", f"{head}.{int(position) + 1}", key, given)
    return _filled(network, state)


def folded(network: nn.Module) -> nn.Module:
    """In place: each normalisation folded into the convolution before it, as ONNX exporters do."""
    convolution = None
    for name, module in list(network.named_children()):
        if isinstance(module, nn.BatchNorm2d) and convolution is not None:
            before, after = convolution
            setattr(network, before, torch.nn.utils.fuse_conv_bn_eval(after, module))
            setattr(network, name, nn.Identity())
        convolution = (name, module) if isinstance(module, nn.Conv2d) else None
        folded(module)
    return network


class MeanPooledBert(nn.Module):
    """models/reviews-minilm: BERT, the mean over the tokens that count, one linear layer."""

    def __init__(self, config: BertConfig, labels: int):
        super().__init__()
        self.bert = BertModel(config, add_pooling_layer=False)
        self.classifier = nn.Linear(config.hidden_size, labels)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        counted = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return self.classifier((hidden * counted).sum(1) / counted.sum(1))


def reviews_minilm(path: Path) -> nn.Module:
    config = BertConfig.from_json_file(path.with_name("config.json"))
    config._attn_implementation = ATTENTION
    given, state = weights(path), {}
    table = "embeddings.word_embeddings"
    given[f"{table}.weight"] = given[f"{table}.int8"] * given[f"{table}.scale"]
    network = MeanPooledBert(config, labels=2)
    for name, wanted in network.state_dict().items():
        if name.endswith("position_ids") or "token_type_ids" in name:
            continue
        value = given[name.removeprefix("bert.")]
        # MatMul takes [in, out], Linear keeps [out, in].
        is_matrix = value.ndim == 2 and "embeddings" not in name
        state[name] = value.t().contiguous() if is_matrix else value
        if state[name].shape != wanted.shape:
            raise ValueError(f"{name}: {tuple(state[name].shape)} in the file, {tuple(wanted.shape)} in the module")
    return _filled(network, state)


class Logits(nn.Module):
    """The logits of a transformers classifier as a plain tensor."""

    def __init__(self, classifier: nn.Module):
        super().__init__()
        self.classifier = classifier

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.classifier(input_ids=input_ids, attention_mask=attention_mask).logits


def distilbert(attention: str = ATTENTION) -> nn.Module:
    """DistilBERT at its published size (6 layers, 768 wide, 66 M weights) with seeded random weights."""
    config = DistilBertConfig(num_labels=2)
    config._attn_implementation = attention
    torch.manual_seed(DISTILBERT_SEED)
    network = DistilBertForSequenceClassification(config)
    with torch.no_grad():
        # The initial head is so small that both classes would score nearly the same for every text.
        network.classifier.weight.mul_(1 / (config.initializer_range * math.sqrt(config.dim)))
    return Logits(network).eval()
