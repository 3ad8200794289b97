"""One function a method of a peer: what a user of the library would write, ready to be called again and again."""

from collections.abc import Callable

import numpy
import torch
from captum.attr import IntegratedGradients, LayerIntegratedGradients, Saliency
from pytorch_grad_cam import AblationCAM, GradCAM, GradCAMPlusPlus, ScoreCAM
from pytorch_grad_cam.ablation_layer import AblationLayer
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from networks import MeanPooledBert

Call = Callable[[], numpy.ndarray]

STEPS = 50
"""Captum's default number of points, Gauss-Legendre."""


def last_map(network: nn.Module) -> nn.Module:
    """The layer that pytorch-grad-cam's own documentation names for each of these networks."""
    return network.layer4[-1] if hasattr(network, "layer4") else network.features[-1]


def cam(method: type, **options) -> Callable[[nn.Module, torch.Tensor, int], Call]:
    """The last map's; pytorch-grad-cam's own batch sizes."""

    def prepare(network: nn.Module, image: torch.Tensor, target: int) -> Call:
        explain = method(model=network, target_layers=[last_map(network)], **options)
        return lambda: explain(input_tensor=image, targets=[ClassifierOutputTarget(target)])[0]

    return prepare


def saliency(network: nn.Module, image: torch.Tensor, target: int) -> Call:
    explain = Saliency(network)
    return lambda: explain.attribute(image, target=target, abs=False).detach().numpy()


def integrated_gradients(network: nn.Module, image: torch.Tensor, target: int, batch: int | None = None) -> Call:
    """From a black image; `batch` is Captum's internal_batch_size, by default all points at once."""
    explain = IntegratedGradients(network)
    return lambda: explain.attribute(image, target=target, n_steps=STEPS, internal_batch_size=batch).detach().numpy()


def layer_integrated_gradients(
    network: nn.Module, ids: torch.Tensor, baseline: torch.Tensor, target: int, batch: int | None = 10
) -> Call:
    """At the word embedding, one score a token."""
    embeddings = network.bert.embeddings if isinstance(network, MeanPooledBert) else network.classifier.distilbert.embeddings
    explain = LayerIntegratedGradients(network, embeddings.word_embeddings)
    mask = torch.ones_like(ids)

    def call() -> numpy.ndarray:
        attribution = explain.attribute(
            ids,
            baselines=baseline,
            target=target,
            additional_forward_args=(mask,),
            n_steps=STEPS,
            internal_batch_size=batch,
        )
        return attribution[0].sum(-1).detach().numpy()

    return call


IMAGE_METHODS = {
    "grad-cam": cam(GradCAM),
    "grad-cam-plus-plus": cam(GradCAMPlusPlus),
    "score-cam": cam(ScoreCAM),
    "ablation-cam": cam(AblationCAM, ablation_layer=AblationLayer()),
    "saliency": saliency,
    "integrated-gradients": integrated_gradients,
}
TEXT_METHODS = {"layer-integrated-gradients": layer_integrated_gradients}
