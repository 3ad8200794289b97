"""Image classifiers of torchvision, with every structural feature of the original and hardly any width."""

from collections.abc import Callable
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn
from torchvision.models import (
    AlexNet, GoogLeNet, convnext, densenet, efficientnet, inception, mnasnet, mobilenetv2, mobilenetv3, regnet, resnet,
    shufflenetv2, squeezenet, swin_transformer, vgg, vision_transformer,
)  # fmt: skip

CLASSES = 7


@contextmanager
def slim(divisor: int):
    """While open, convolutions, norms and linear layers are built with their channels divided by `divisor`.

    Three input channels and `CLASSES` outputs stay. It is how classes with hard-coded widths (ResNet, VGG, Inception)
    become small without another line of theirs being touched.
    """
    conv, norm, linear = nn.Conv2d.__init__, nn.BatchNorm2d.__init__, nn.Linear.__init__

    def narrow(channels: int) -> int:
        return channels if channels in (3, CLASSES) else channels // divisor

    def conv_init(self, in_channels, out_channels, *args, groups=1, **kwargs):
        narrowed = narrow(in_channels) if groups == in_channels else max(1, groups // divisor)
        conv(self, narrow(in_channels), narrow(out_channels), *args, groups=narrowed, **kwargs)

    def norm_init(self, num_features, *args, **kwargs):
        norm(self, narrow(num_features), *args, **kwargs)

    def linear_init(self, in_features, out_features, *args, **kwargs):
        linear(self, narrow(in_features), narrow(out_features), *args, **kwargs)

    nn.Conv2d.__init__, nn.BatchNorm2d.__init__, nn.Linear.__init__ = conv_init, norm_init, linear_init
    try:
        yield
    finally:
        nn.Conv2d.__init__, nn.BatchNorm2d.__init__, nn.Linear.__init__ = conv, norm, linear


def slimmed(divisor: int, build: Callable[[], nn.Module]) -> nn.Module:
    with slim(divisor):
        return build()


def small_alexnet() -> nn.Module:
    network = slimmed(16, partial(AlexNet, num_classes=CLASSES))
    # 6 x 6 is what 224 pixels give; 2 x 2 is what 96 pixels give, so that the pooling stays an identity as in the original.
    network.avgpool = nn.AdaptiveAvgPool2d((2, 2))
    network.classifier[1] = nn.Linear(16 * 2 * 2, 64)
    network.classifier[4] = nn.Linear(64, 64)
    network.classifier[6] = nn.Linear(64, CLASSES)
    return network


def small_vgg() -> nn.Module:
    network = slimmed(16, lambda: vgg.VGG(vgg.make_layers(vgg.cfgs["B"], batch_norm=True), CLASSES, init_weights=False))
    network.avgpool = nn.AdaptiveAvgPool2d((1, 1))
    network.classifier[0] = nn.Linear(32, 64)
    network.classifier[3] = nn.Linear(64, 64)
    network.classifier[6] = nn.Linear(64, CLASSES)
    return network


def small_mobilenet_v3() -> nn.Module:
    config = mobilenetv3.InvertedResidualConfig
    settings = [
        config(8, 3, 8, 8, True, "RE", 2, 1, 1.0),
        config(8, 3, 24, 8, False, "RE", 1, 1, 1.0),
        config(8, 5, 24, 16, True, "HS", 2, 1, 1.0),
        config(16, 5, 48, 16, True, "HS", 1, 1, 1.0),
        config(16, 5, 48, 16, True, "HS", 1, 2, 1.0),
    ]
    return mobilenetv3.MobileNetV3(settings, last_channel=32, num_classes=CLASSES)


def small_efficientnet() -> nn.Module:
    config = efficientnet.MBConvConfig
    settings = [
        config(1, 3, 1, 8, 8, 1, 1.0, 1.0),
        config(6, 3, 2, 8, 12, 2, 1.0, 1.0),
        config(6, 5, 2, 12, 16, 2, 1.0, 1.0),
    ]
    return efficientnet.EfficientNet(settings, dropout=0.2, num_classes=CLASSES, last_channel=32)


def small_mnasnet() -> nn.Module:
    network = mnasnet.MNASNet(0.1, CLASSES)
    # The last convolution has 1,280 channels at any width; 48 do.
    network.layers[14] = nn.Conv2d(network.layers[14].in_channels, 48, 1, bias=False)
    network.layers[15] = nn.BatchNorm2d(48)
    network.classifier[1] = nn.Linear(48, CLASSES)
    return network


def small_inception() -> nn.Module:
    network = slimmed(16, lambda: inception.Inception3(CLASSES, aux_logits=False, init_weights=False))
    network.Mixed_6d = network.Mixed_6e = nn.Identity()  # like 6c but for its width
    return network


def small_regnet() -> nn.Module:
    # The parameters of RegNetY (squeeze and excitation, groups), scaled down: widths 8 to 40.
    parameters = regnet.BlockParams.from_init_params(depth=7, w_0=8, w_a=6.0, w_m=2.0, group_width=8, se_ratio=0.25)
    return regnet.RegNet(
        parameters, num_classes=CLASSES, stem_width=8, norm_layer=partial(nn.BatchNorm2d, eps=1e-5, momentum=0.1)
    )


def small_convnext() -> nn.Module:
    config = convnext.CNBlockConfig
    return convnext.ConvNeXt([config(8, 16, 1), config(16, 24, 2), config(24, None, 1)], num_classes=CLASSES)


def small_swin(version: int = 1) -> nn.Module:
    extra = {}
    if version == 2:
        extra = dict(block=swin_transformer.SwinTransformerBlockV2, downsample_layer=swin_transformer.PatchMergingV2)
    return swin_transformer.SwinTransformer(
        patch_size=[4, 4], embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=[4, 4], num_classes=CLASSES, **extra
    )


class ImageNetwork:
    """How to build one network, the picture size it takes, and the modules that taps may be matched to."""

    def __init__(self, build: Callable[[], nn.Module], height: int, width: int, taps: list[str]):
        self.build, self.height, self.width, self.taps = build, height, width, taps

    def inputs(self, batch: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
        return {"image": torch.randn(batch, 3, self.height, self.width, generator=generator)}


IMAGE_NETWORKS = {
    "resnet": ImageNetwork(
        lambda: slimmed(16, lambda: resnet.ResNet(resnet.BasicBlock, [2, 1, 1, 1], CLASSES)), 40, 48, ["layer1", "layer3"]
    ),
    "resnext": ImageNetwork(
        lambda: slimmed(
            16, lambda: resnet.ResNet(resnet.Bottleneck, [1, 2, 1, 1], CLASSES, groups=32, width_per_group=4)
        ),
        40,
        48,
        ["layer2", "layer4"],
    ),
    "vgg-bn": ImageNetwork(small_vgg, 48, 32, ["features.13", "features.29", "features.32"]),
    "alexnet": ImageNetwork(small_alexnet, 96, 96, ["features.4", "features.11"]),
    "squeezenet": ImageNetwork(
        lambda: slimmed(8, lambda: squeezenet.SqueezeNet("1_1", CLASSES)), 48, 56, ["features.4", "features.12"]
    ),
    "densenet": ImageNetwork(
        lambda: densenet.DenseNet(4, (2, 2, 2, 2), 8, num_classes=CLASSES), 48, 64,
        ["features.transition1", "features.transition3", "features.norm5"],
    ),  # fmt: skip
    "mobilenet-v2": ImageNetwork(
        lambda: mobilenetv2.MobileNetV2(
            CLASSES, 0.25, [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 2, 2], [6, 64, 1, 2]], round_nearest=4
        ),
        40,
        48,
        ["features.3", "features.7"],
    ),
    "mobilenet-v3": ImageNetwork(small_mobilenet_v3, 40, 48, ["features.2", "features.5"]),
    "shufflenet-v2": ImageNetwork(
        lambda: shufflenetv2.ShuffleNetV2([2, 3, 2], [8, 16, 24, 32, 48], CLASSES), 48, 64, ["stage2", "stage4", "conv5"]
    ),
    "mnasnet": ImageNetwork(small_mnasnet, 48, 64, ["layers.9", "layers.16"]),
    "efficientnet": ImageNetwork(small_efficientnet, 40, 48, ["features.2", "features.4"]),
    "regnet": ImageNetwork(small_regnet, 48, 64, ["trunk_output.block1", "trunk_output.block3"]),
    "convnext": ImageNetwork(small_convnext, 48, 64, ["features.1", "features.4", "features.5"]),
    "googlenet": ImageNetwork(
        lambda: slimmed(16, lambda: GoogLeNet(CLASSES, aux_logits=False, init_weights=False)), 64, 64,
        ["inception3b", "inception5b"],
    ),  # fmt: skip
    "inception-v3": ImageNetwork(small_inception, 75, 83, ["Mixed_5d", "Mixed_7c"]),
    "vit": ImageNetwork(
        lambda: vision_transformer.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=CLASSES), 32, 32,
        ["encoder.layers.encoder_layer_0", "encoder.ln", "encoder.layers.encoder_layer_0.ln_1"],
    ),  # fmt: skip
    "swin": ImageNetwork(small_swin, 40, 56, ["features.1", "features.3", "norm"]),
}
