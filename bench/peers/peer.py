"""A peer as a process: one JSON object a line in, one a line out. `peer.ts` starts it and lends it the machine in turn.

    {"do": "versions"}                                                  -> {"torch": "...", ...}
    {"do": "load", "model", "path"}                                     -> {}
    {"do": "input", "model", "input"}                                   -> {"logits": [...]}: what is explained from now on
    {"do": "run", "model", "method", "calls", "options"}                -> {"milliseconds": [one a call]}
    {"do": "answer", "model", "method", "options", "path"}              -> {"shape"}: writes what the last call gave as float32
    {"do": "export-distilbert", "path"}                                 -> {}

An image model's input is {"image": file of float32, "shape", "target"}; a text model's {"ids", "baseline", "target"}.
What goes wrong with one request is its answer, {"error": "..."}; the next one is served.
"""

import argparse
import copy
import importlib.metadata
import json
import sys
import time
from pathlib import Path

import numpy
import torch

from export_distilbert import export
from methods import IMAGE_METHODS, TEXT_METHODS
from networks import distilbert, folded, mobilenet_v2, resnet, reviews_minilm

NETWORKS = {
    "resnet-18": lambda path: resnet("resnet-18", path),
    "resnet-50": lambda path: resnet("resnet-50", path),
    "mobilenet-v2": mobilenet_v2,
    "reviews-minilm": reviews_minilm,
    "distilbert": lambda _: distilbert(),
}
PACKAGES = ("torch", "torchvision", "transformers", "captum", "grad-cam", "numpy")


def tensors(given: dict) -> dict:
    """The input of a request, by the argument names of the methods."""
    if "image" in given:
        values = numpy.fromfile(given["image"], dtype=numpy.float32).reshape(given["shape"])
        return {"image": torch.from_numpy(values), "target": given["target"]}
    return {"ids": torch.tensor([given["ids"]]), "baseline": torch.tensor([given["baseline"]]), "target": given["target"]}


class Peer:
    def __init__(self):
        self.networks = {}
        self.inputs = {}
        self.calls = {}
        self.answers = {}

    def versions(self, _: dict) -> dict:
        return {name: importlib.metadata.version(name) for name in PACKAGES}

    def load(self, request: dict) -> dict:
        """A name may say "-folded" at its end: the same network with its normalisations folded away."""
        name = request["model"]
        network = NETWORKS[name.removesuffix("-folded")](Path(request["path"]))
        self.networks[name] = folded(network) if name.endswith("-folded") else network
        return {}

    def input(self, request: dict) -> dict:
        name = request["model"]
        given = self.inputs[name] = tensors(request["input"])
        self.calls = {key: call for key, call in self.calls.items() if key[0] != name}
        with torch.no_grad():
            feeds = (given["image"],) if "image" in given else (given["ids"], torch.ones_like(given["ids"]))
            return {"logits": self.networks[name](*feeds)[0].tolist()}

    def run(self, request: dict) -> dict:
        key = self.key(request)
        if key not in self.calls:
            given = self.inputs[request["model"]]
            methods = IMAGE_METHODS if "image" in given else TEXT_METHODS
            # pytorch-grad-cam leaves its hooks in a network, which would slow the next method down.
            network = copy.deepcopy(self.networks[request["model"]])
            self.calls[key] = methods[request["method"]](network, **given, **request.get("options", {}))
        milliseconds = []
        for _ in range(request["calls"]):
            start = time.perf_counter()
            answer = self.calls[key]()
            milliseconds.append(1000 * (time.perf_counter() - start))
            self.answers[key] = answer
        return {"milliseconds": milliseconds}

    def answer(self, request: dict) -> dict:
        answer = self.answers[self.key(request)]
        answer.astype(numpy.float32).tofile(request["path"])
        return {"shape": list(answer.shape)}

    def key(self, request: dict) -> tuple:
        return request["model"], request["method"], json.dumps(request.get("options", {}), sort_keys=True)

    def export_distilbert(self, request: dict) -> dict:
        export(Path(request["path"]))
        return {}

    def serve(self, line: str) -> dict:
        try:
            request = json.loads(line)
            return getattr(self, request["do"].replace("-", "_"))(request)
        except Exception as error:  # whatever it is, it is the answer
            return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, required=True)
    torch.set_num_threads(parser.parse_args().threads)
    # The libraries may print; only answers go to standard output.
    answers, sys.stdout = sys.stdout, sys.stderr
    peer = Peer()
    for line in sys.stdin:
        print(json.dumps(peer.serve(line)), file=answers, flush=True)


if __name__ == "__main__":
    main()
