"""Writes small networks as ONNX, with what PyTorch's autograd says about each.

    python export.py --committed ../../test/fixtures/networks     one file a network, as committed
    python export.py --texts ../../test/fixtures/text-networks     further text classifiers
    python export.py --out /some/folder [--only resnet,bert]      network x exporter x opset, for coverage.ts
    python export.py --full /some/folder [--only full-bert]       published sizes, each in one form
    ... --resume                                                  what the folder holds from these versions is kept

Each model NAME.onnx comes with NAME.json (the manifest) and NAME.bin (little-endian float32, at the manifest's offsets).
Everything follows from the seed; a seed whose gradients differ between 32 and 64 bits by more than 2e-6 of the largest
(a rectifier within rounding of its kink) is passed over for the next. Full-size networks have so many rectifiers that every
picture meets such a kink: their biases and kernels are moved by the little that keeps them off (`keep_off_kinks`). The manifests
say how far the two precisions are left apart.
"""

import argparse
import collections
import json
import platform
from pathlib import Path

import numpy
import onnx
import onnxscript
import torch
import torchvision
import transformers

import full_networks
from exporters import EXPORTERS, OPSETS, Refused, every_tensor, export, find
from goldens import Golden, distance, in_double, keep_off_kinks, randomise
from image_networks import CLASSES as IMAGE_CLASSES, IMAGE_NETWORKS
from text_networks import CLASSES as TEXT_CLASSES, TEXT_NETWORKS, TextNetwork

CONDITION = 2e-6
FULL_SIZE = {**full_networks.FULL_IMAGE_NETWORKS, **full_networks.FULL_TEXT_NETWORKS}
FULL_SIZE_FORM = ("torchscript", 17)
TAPS = 2
VERSIONS = {
    "python": platform.python_version(),
    **{library.__name__: library.__version__ for library in (numpy, onnx, onnxscript, torch, torchvision, transformers)},
}
COMMITTED = {
    "resnet": ("torchscript", 11),
    "resnext": ("dynamo", 18),
    "vgg-bn": ("torchscript", 13),
    "alexnet": ("dynamo", 17),
    "squeezenet": ("torchscript", 13),
    "densenet": ("torchscript", 17),
    "mobilenet-v2": ("torchscript", 13),
    "mobilenet-v3": ("dynamo", 26),
    "shufflenet-v2": ("torchscript", 11),
    "mnasnet": ("dynamo", 26),
    "efficientnet": ("torchscript", 26),
    "regnet": ("torchscript", 11),
    "convnext": ("dynamo", 26),
    "googlenet": ("torchscript", 17),
    "inception-v3": ("torchscript", 11),
    "vit": ("dynamo", 17),
    "swin": ("dynamo", 26),
    "bert": ("dynamo", 26),
    "distilbert": ("torchscript", 11),
    "roberta": ("torchscript", 13),
    "albert": ("dynamo", 26),
    "electra": ("dynamo", 17),
    "mpnet": ("torchscript", 13),
    "deberta-v2": ("torchscript", 17),
    "deberta-v3": ("torchscript", 13),
    "xlm-r": ("dynamo", 17),
    "gpt2": ("dynamo", 26),
}
"""One file a network, spread so that each exporter and each opset is met by five networks or more."""
TEXTS = {
    "deberta-v1": ("dynamo", 18),
    "modernbert": ("torchscript", 17),
    "llama": ("torchscript", 17),
    "qwen2": ("dynamo", 18),
    "bart": ("torchscript", 17),
    "t5": ("torchscript", 17),
}
"""Further texts, in a folder of their own; torch.export refuses T5."""


class Case:
    """A network with its weights, inputs and goldens."""

    def __init__(self, name: str):
        self.name = name
        self.source = (IMAGE_NETWORKS | TEXT_NETWORKS | FULL_SIZE)[name]
        self.full = name in FULL_SIZE
        self.text = isinstance(self.source, TextNetwork)
        self.attention = "sdpa" if self.text and self.source.fused else "eager"
        for seed in range(20):
            self._make(seed)
            if self.full or max(self.condition.values()) <= CONDITION:
                return
        raise RuntimeError(f"{name}: no well-conditioned seed among 20; the last: {self.condition}")

    def build(self, attention: str) -> torch.nn.Module:
        network = self.source.build(attention) if self.text else self.source.build()
        randomise(network, self.seed)
        with torch.no_grad():  # not load_state_dict, which refuses MNASNet's when its version is missing
            for name, value in self.moved.items():
                network.get_parameter(name).copy_(value)
        return network

    def draw_inputs(self, batch: int, tokens: int, seed: int) -> dict[str, torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        return self.source.inputs(batch, tokens, generator) if self.text else self.source.inputs(batch, generator)

    def _make(self, seed: int) -> None:
        self.seed = seed
        self.moved: dict[str, torch.Tensor] = {}
        network = self.build("eager")
        self.inputs = self.draw_inputs(2, 8, seed + 1000)
        self.example = self.draw_inputs(3, 6, seed + 2000)  # other shapes than the goldens', so that axes have to be free
        small = (TEXT_CLASSES, IMAGE_CLASSES)
        full = (full_networks.TEXT_CLASSES, full_networks.IMAGE_CLASSES)
        classes = (full if self.full else small)[0 if self.text else 1]
        self.cotangent = torch.randn(2, classes, generator=torch.Generator().manual_seed(seed + 3000))
        self.taps = {module: "inner" for module in self.source.taps}
        if self.text:
            table = network.network.get_input_embeddings()
            name = self.source.table or next(name for name, one in network.named_modules() if one is table)
            self.taps = {name: "embedding"} | self.taps
        if self.full:
            self.moved = keep_off_kinks(network, self.inputs)
        self.golden = Golden(network, self.inputs, self.cotangent, self.taps)
        wide = in_double(network, self.inputs, self.cotangent, self.taps)
        self.condition = {
            module: distance(gradient, wide.gradients[module]) for module, gradient in self.golden.gradients.items()
        }
        self.condition["logits"] = distance(self.golden.logits, wide.logits)

    def write(self, folder: Path, stem: str, exporter: str, opset: int) -> dict:
        """Exports and writes stem.onnx, stem.bin, stem.json. Returns the manifest. Raises Refused."""
        path = folder / f"{stem}.onnx"
        dynamic = ("batch", "sequence") if self.text else ("batch",)
        notes = []
        try:
            note = export(self.build(self.attention), self.example, exporter, opset, path, dynamic)
        except Refused as refusal:
            if not self.text or self.attention == "eager":
                raise
            note = export(self.build("eager"), self.example, exporter, opset, path, dynamic)
            notes.append(f"eager attention; with scaled_dot_product_attention: {refusal}")
        notes += [note] if note else []

        values = every_tensor(path, self.inputs)
        forward = distance(torch.from_numpy(values["logits"]), self.golden.logits)
        if forward > 1e-4:
            raise Refused(f"wrote a model whose logits differ from PyTorch's by {forward:.1e} of the largest")
        data = bytearray()

        def store(value: torch.Tensor) -> dict:
            placed = {"dims": list(value.shape), "offset": len(data)}
            data.extend(value.contiguous().numpy().astype("<f4").tobytes())
            return placed

        questions = []
        for module, kind in self.taps.items():
            name = find(values, self.golden.values[module])
            if name is None or sum(one["kind"] == kind for one in questions) == TAPS:
                continue
            if any(one["tap"] == name for one in questions):
                continue
            questions.append(
                {
                    "kind": kind, "tap": name, "module": module, "condition": self.condition[module],
                    "value": store(self.golden.values[module]), "gradient": store(self.golden.gradients[module]),
                }
            )  # fmt: skip
        if not self.text:
            questions.insert(
                0,
                {
                    "kind": "input", "tap": "image", "module": "", "condition": self.condition["image"],
                    "value": None, "gradient": store(self.golden.gradients["image"]),
                },
            )  # fmt: skip
        inner = sum(one["kind"] == "inner" for one in questions)
        if inner < TAPS:
            notes.append(f"compared at {inner} inner layers: no tensor of the file equals the output of another module")
        inputs = []
        for name, value in self.inputs.items():
            if value.is_floating_point():
                inputs.append({"name": name, "type": "float32", **store(value)})
            else:
                inputs.append(
                    {"name": name, "type": "int64", "dims": list(value.shape), "values": value.flatten().tolist()}
                )
        model = onnx.load(path)
        graph_inputs = [one.name for one in model.graph.input]
        operators = collections.Counter(
            node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}::{node.op_type}" for node in model.graph.node
        )
        manifest = {
            "network": self.name, "exporter": exporter, "opset": opset, "seed": self.seed,
            "script": "bench/networks/export.py", "versions": VERSIONS, "notes": notes,
            "model": path.name, "data": f"{stem}.bin",
            "inputs": [one for one in inputs if one["name"] in graph_inputs],
            "logits": {"tap": "logits", "condition": self.condition["logits"], **store(self.golden.logits)},
            "cotangent": store(self.cotangent), "questions": questions,
            "operators": dict(sorted(operators.items())),
        }  # fmt: skip
        (folder / f"{stem}.bin").write_bytes(bytes(data))
        (folder / f"{stem}.json").write_text(json.dumps(manifest, indent=2) + "\n")
        return manifest


def done(folder: Path, stem: str) -> bool:
    """Whether the folder holds this export (or its refusal) from the same versions."""
    path = folder / f"{stem}.json"
    if not path.exists():
        return False
    record = json.loads(path.read_text())
    return record["versions"] == VERSIONS and ("refused" in record or (folder / f"{stem}.onnx").exists())


def attempt(case: Case, folder: Path, stem: str, exporter: str, opset: int) -> bool:
    try:
        manifest = case.write(folder, stem, exporter, opset)
    except Refused as refusal:
        (folder / f"{stem}.onnx").unlink(missing_ok=True)
        record = {"network": case.name, "exporter": exporter, "opset": opset, "versions": VERSIONS, "refused": str(refusal)}
        (folder / f"{stem}.json").write_text(json.dumps(record, indent=2) + "\n")
        print(f"{stem}: refused: {refusal}", flush=True)
        return False
    found = [f"{one['kind']}={one['tap']}" for one in manifest["questions"]]
    kinds = [one["kind"] for one in manifest["questions"]]
    worst = max(case.condition.values())
    lacking = "" if kinds.count("inner") == TAPS and len(kinds) == TAPS + 1 else "  TAPS MISSING"
    size = (folder / f"{stem}.onnx").stat().st_size // 1024
    print(f"{stem}: seed {case.seed}, {worst:.0e}, {size} KiB, {', '.join(found)}{lacking} {manifest['notes']}", flush=True)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--committed", type=Path, help="folder for one file a network")
    parser.add_argument("--texts", type=Path, help="folder for one file of each further text network")
    parser.add_argument("--out", type=Path, help="folder for every network, exporter and opset")
    parser.add_argument("--full", type=Path, help="folder for the full-size networks")
    parser.add_argument("--resume", action="store_true", help="skip what the folder holds from these versions")
    parser.add_argument("--only", help="comma-separated networks; all by default")
    arguments = parser.parse_args()
    names = arguments.only.split(",") if arguments.only else list(FULL_SIZE if arguments.full else TEXTS if arguments.texts else COMMITTED)
    torch.set_num_threads(1)
    for folder in filter(None, (arguments.committed, arguments.texts, arguments.out, arguments.full)):
        folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        cells = []
        if arguments.committed:
            cells.append((arguments.committed, name, *COMMITTED[name]))
        if arguments.texts:
            cells.append((arguments.texts, name, *TEXTS[name]))
        if arguments.full:
            exporter, opset = FULL_SIZE_FORM
            cells.append((arguments.full, f"{name}.{exporter}.{opset}", exporter, opset))
        if arguments.out:
            for exporter in EXPORTERS:
                cells += [(arguments.out, f"{name}.{exporter}.{opset}", exporter, opset) for opset in OPSETS[exporter]]
        if arguments.resume:
            cells = [cell for cell in cells if not done(cell[0], cell[1])]
        if not cells:
            continue
        case = Case(name)
        for folder, stem, exporter, opset in cells:
            if not attempt(case, folder, stem, exporter, opset) and folder in (arguments.committed, arguments.texts):
                raise SystemExit(f"{name}: {exporter} at opset {opset} was to be committed")


if __name__ == "__main__":
    main()
