"""Writes DistilBERT with seeded random weights as ONNX: python export_distilbert.py OUT.onnx

Eager attention, as that is what exporters turn into plain operators; the weights are those of `networks.distilbert`.
"""

import sys
import warnings
from pathlib import Path

import torch

from networks import distilbert

OPSET = 17


def export(path: Path) -> None:
    """Inputs `input_ids`, `attention_mask` [batch, sequence]; output `logits` [batch, 2]."""
    ids = torch.randint(1000, 20000, (2, 16), generator=torch.Generator().manual_seed(0))
    free = {0: "batch", 1: "sequence"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            distilbert("eager"),
            (ids, torch.ones_like(ids)),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={"input_ids": free, "attention_mask": free, "logits": {0: "batch"}},
        )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python export_distilbert.py OUT.onnx")
    export(Path(sys.argv[1]))
