"""The originals, at their published size, with random weights: what the small networks stand for."""

import torchvision.models as published
import transformers as t

from image_networks import ImageNetwork
from text_networks import MASKED, TYPED, TextNetwork, of

IMAGE_CLASSES = 1000
TEXT_CLASSES = 2
WORDS = 2000
"""All that is smaller than published: a word table of a thousand rows is as good as one of thirty."""


def picture(name: str, *taps: str, size: int = 224, **settings) -> ImageNetwork:
    return ImageNetwork(lambda: getattr(published, name)(weights=None, **settings), size, size, list(taps))


def text(config: type, network: type, names: tuple[str, ...], *taps: str) -> TextNetwork:
    return TextNetwork(of(config, network, vocab_size=WORDS, num_labels=TEXT_CLASSES, pad_token_id=1), names, list(taps))


FULL_IMAGE_NETWORKS = {
    "full-resnet-18": picture("resnet18", "layer2", "layer4"),
    "full-resnet-50": picture("resnet50", "layer2", "layer4"),
    "full-mobilenet-v2": picture("mobilenet_v2", "features.6", "features.18"),
    "full-densenet-121": picture("densenet121", "features.transition1", "features.transition3"),
    "full-efficientnet-b0": picture("efficientnet_b0", "features.3", "features.8"),
    "full-shufflenet-v2": picture("shufflenet_v2_x1_0", "stage2", "conv5"),
    "full-inception-v3": picture(
        "inception_v3", "Mixed_5d", "Mixed_7c", size=299, aux_logits=False, init_weights=False
    ),
    "full-convnext-tiny": picture("convnext_tiny", "features.1", "features.5"),
    "full-vit-b-16": picture("vit_b_16", "encoder.layers.encoder_layer_3", "encoder.ln"),
    "full-swin-t": picture("swin_t", "features.1", "features.5"),
}
FULL_TEXT_NETWORKS = {
    "full-distilbert": text(
        t.DistilBertConfig, t.DistilBertForSequenceClassification, MASKED,
        "network.distilbert.transformer.layer.1", "network.distilbert.transformer.layer.4",
    ),
    "full-bert": text(
        t.BertConfig, t.BertForSequenceClassification, TYPED,
        "network.bert.encoder.layer.3", "network.bert.encoder.layer.10",
    ),
    "full-roberta": text(
        t.RobertaConfig, t.RobertaForSequenceClassification, MASKED,
        "network.roberta.encoder.layer.3", "network.roberta.encoder.layer.10",
    ),
}  # fmt: skip
