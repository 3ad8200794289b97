"""Goldens of the perturbation methods, by their peers or by literal loops.

    pip install -r bench/conformance/requirements.txt
    python bench/conformance/perturbation.py

writes test/fixtures/conformance/perturbation/*.json. The network is test/helpers/tiny-cnn.ts, written again: its weights and
its picture come from the same generator, so both sides have them without a file.

Where a peer departs from its paper:
- LIME: the authors' package weighs a sample by sqrt(exp(-d^2 / w^2)); the paper, section 3.4, by exp(-d^2 / w^2). The golden
  is the paper's, fitted by scikit-learn's Ridge, which the package uses too.
- RISE: the paper enlarges the grid bilinearly and does not say how beyond its border; the authors' generate_masks mirrors it
  there (skimage.transform.resize, mode reflect). The golden repeats the border, as torch's interpolate does and TorchRay's RISE
  with it; the sum is divided by p N as in equation 6.
- Partition: shap counts the two ends among max_evals; here they are not among the evaluations.
- XRAI: the package takes the largest attribution of a pixel's three colours, and brings pictures to 224 x 224 first; the product
  adds the colours up, which keeps what integrated gradients add up to, and lets sizes go with the picture. The golden is the
  choice of regions (algorithm 1) on a given attribution.
- SLIC: scikit-image does not move the first centres to low gradients, as section 3 of the paper does; the golden is
  scikit-image's.
"""

import argparse
import base64
import datetime
import itertools
import json
import math
import pathlib

import captum
import numpy as np
import shap
import skimage
import sklearn
import torch
from captum.attr import Occlusion
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.morphology import dilation, disk
from skimage.segmentation import felzenszwalb, slic
from sklearn.linear_model import Ridge
from torch.nn.functional import interpolate

ROOT = pathlib.Path(__file__).resolve().parents[2]
TO = ROOT / "test" / "fixtures" / "conformance" / "perturbation"
VERSIONS = {
    "captum": captum.__version__,
    "numpy": np.__version__,
    "scikit-image": skimage.__version__,
    "scikit-learn": sklearn.__version__,
    "shap": shap.__version__,
    "torch": torch.__version__.split("+")[0],
}


def write(name, peer, content):
    provenance = {
        "command": "python bench/conformance/perturbation.py",
        "peer": peer,
        "versions": VERSIONS,
        "date": datetime.date.today().isoformat(),
        "seed": 0,
    }
    (TO / f"{name}.json").write_text(json.dumps({"provenance": provenance, **content}) + "\n")


def generator(seed):
    """The generator of test/helpers/tiny-cnn.ts: numbers in -1..1."""
    state = seed
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield state / 2**31 - 1


def tiny_cnn(seed=13):
    numbers = generator(seed)
    matrix = lambda rows, columns: torch.tensor([[next(numbers) for _ in range(columns)] for _ in range(rows)], dtype=torch.float64)
    vector = lambda size: torch.tensor([next(numbers) / 4 for _ in range(size)], dtype=torch.float64)
    w1, w2, w3 = matrix(4, 3), matrix(5, 4), matrix(3, 5)
    b1, b2, b3 = vector(4), vector(5), vector(3)

    def forward(x):
        x = torch.relu(torch.nn.functional.conv2d(x, w1[:, :, None, None], b1))
        x = torch.nn.functional.avg_pool2d(x, 2)
        x = torch.relu(torch.nn.functional.conv2d(x, w2[:, :, None, None], b2))
        return x.mean((2, 3)) @ w3.T + b3

    return forward


def tiny_feed(seed=1):
    numbers = generator(seed)
    values = torch.tensor([next(numbers) for _ in range(108)], dtype=torch.float32)
    return values.reshape(1, 3, 6, 6).double()


def occlusion():
    model, picture = tiny_cnn(), tiny_feed()
    cases = []
    for window, stride, target in [(2, 1, 0), (3, 2, 1), (2, 2, 2), (4, 3, 0), (6, 1, 1)]:
        attribution = Occlusion(model).attribute(
            picture, (3, window, window), strides=(3, stride, stride), target=target, baselines=0
        )
        # All colours are hidden together, so each of the three has the same number.
        cases.append({"window": window, "stride": stride, "target": target, "map": attribution[0, 0].flatten().tolist()})
    write("occlusion", "captum.attr.Occlusion, baselines 0", {"cases": cases})


def rise():
    model, picture = tiny_cnn(), tiny_feed()
    random = np.random.default_rng(0)
    cases = []
    for grid, p, count, target in [(2, 0.5, 50, 0), (3, 0.3, 40, 1), (4, 0.7, 30, 2)]:
        cell = math.ceil(6 / grid)
        cells = (random.random((count, grid, grid)) < p).astype(float)
        shifts = random.integers(0, cell, (count, 2))
        total = np.zeros((6, 6))
        for one, (down, across) in zip(cells, shifts):
            size = ((grid + 1) * cell,) * 2
            large = interpolate(torch.tensor(one)[None, None], size, mode="bilinear", align_corners=False)[0, 0].numpy()
            mask = large[down : down + 6, across : across + 6]
            with torch.no_grad():
                score = model(picture * torch.tensor(mask))[0, target].item()
            total += score * mask
        cases.append(
            {
                "grid": grid,
                "share": p,
                "target": target,
                "cells": cells.astype(int).reshape(count, -1).tolist(),
                "shifts": shifts.tolist(),
                "map": (total / (p * count)).flatten().tolist(),
            }
        )
    write("rise", "a literal loop over masks enlarged by torch.nn.functional.interpolate", {"cases": cases})


def shapley(worth, players):
    """By the definition: the mean over all orders of what a player adds, as a sum over coalitions without it."""
    values = []
    for player in range(players):
        others = [one for one in range(players) if one != player]
        value = 0.0
        for size in range(players):
            share = math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
            for coalition in itertools.combinations(others, size):
                bits = sum(1 << one for one in coalition)
                value += share * (worth[bits | 1 << player] - worth[bits])
        values.append(value)
    return values


def games():
    random = np.random.default_rng(0)
    cases = []
    for players in range(1, 9):
        worth = random.normal(size=2**players)
        cases.append({"players": players, "worth": worth.tolist(), "values": shapley(worth, players)})
    write("shapley", "literal enumeration of all coalitions", {"cases": cases})


class Bits:
    """A masker for a game: hidden players are 0."""

    def __init__(self, clustering):
        self.clustering = clustering
        self.shape = (None, len(clustering) + 1)

    def __call__(self, mask, x):
        return (np.asarray(x) * mask).reshape(1, -1)


def halved(players):
    """The clustering of scipy's linkage for a balanced tree; the first half is the larger one."""
    rows = []

    def tree(members):
        if len(members) == 1:
            return members[0]
        middle = math.ceil(len(members) / 2)
        left, right = tree(members[:middle]), tree(members[middle:])
        rows.append([left, right, 1.0, len(members)])
        return players + len(rows) - 1

    tree(list(range(players)))
    return np.array(rows, dtype=float)


def partition():
    random = np.random.default_rng(1)
    cases = []
    for players, evaluations in [(2, 100), (5, 1000), (8, 1000), (8, 20), (8, 40)]:
        worth = random.normal(size=2**players)
        bits = 1 << np.arange(players)
        model = lambda rows: worth[(np.asarray(rows).astype(int) @ bits)]
        explainer = shap.explainers.Partition(model, Bits(halved(players)))
        found = explainer(np.ones((1, players)), max_evals=evaluations + 2, batch_size=16, silent=True, fixed_context=None)
        cases.append(
            {"players": players, "evaluations": evaluations, "worth": worth.tolist(), "values": found.values[0].tolist()}
        )
    write("partition", "shap.explainers.Partition, fixed_context None, batch_size 16", {"cases": cases})


def lime():
    random = np.random.default_rng(2)
    cases = []
    for players, samples, width, ridge in [(5, 40, 0.25, 1.0), (12, 100, 0.5, 1.0), (20, 15, 0.25, 0.01)]:
        kept = (random.random((samples, players)) < 0.7).astype(int)
        kept[0] = 1
        worths = kept @ random.normal(size=players) + random.normal(size=samples) / 5
        # Cosine distance of 0s and 1s to all 1s.
        distance = 1 - np.sqrt(kept.sum(1) / players)
        weights = np.exp(-((distance / width) ** 2))
        fit = Ridge(alpha=ridge, fit_intercept=True).fit(kept, worths, sample_weight=weights)
        cases.append(
            {
                "width": width,
                "ridge": ridge,
                "samples": kept.tolist(),
                "worths": worths.tolist(),
                "coefficients": fit.coef_.tolist(),
                "intercept": float(fit.intercept_),
                "fit": float(fit.score(kept, worths, sample_weight=weights)),
            }
        )
    write("lime", "sklearn.linear_model.Ridge with the paper's kernel", {"cases": cases})


def encoded(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def segmentation():
    cases = []
    for sample, size, segments, compactness in [
        ("kitten", (96, 72), 30, 10.0),
        ("chelsea", (80, 80), 50, 20.0),
        ("rocket", (100, 60), 120, 5.0),
    ]:
        rgb = np.asarray(Image.open(ROOT / "public" / "samples" / f"{sample}.jpg").convert("RGB").resize(size))
        labels = slic(rgb, n_segments=segments, compactness=compactness, start_label=0)
        regions = felzenszwalb(rgb / 255.0, scale=50, sigma=0.8, min_size=20)
        cases.append(
            {
                "sample": sample,
                "height": size[1],
                "width": size[0],
                "segments": segments,
                "compactness": compactness,
                "rgb": encoded(rgb.astype(np.uint8)),
                "slic": encoded(labels.astype(np.uint8)),
                "felzenszwalb": {"scale": 50, "sigma": 0.8, "least": 20, "labels": encoded(regions.astype(np.uint8))},
            }
        )
        assert labels.max() < 256 and regions.max() < 256
    write("segmentation", "skimage.segmentation.slic and .felzenszwalb; labels and levels as bytes, base64", {"cases": cases})


def xrai():
    """Algorithm 1 of the paper, as in PAIR's saliency/core/xrai.py, on a given attribution, without the resize to 224."""
    random = np.random.default_rng(3)
    cases = []
    for sample, size, least, radius, added in [("kitten", (64, 48), 10, 1, 5), ("chelsea", (48, 48), 20, 2, 8), ("rocket", (60, 40), 8, 0, 1)]:
        rgb = np.asarray(Image.open(ROOT / "public" / "samples" / f"{sample}.jpg").convert("RGB").resize(size))
        attribution = np.float32(gaussian_filter(random.normal(size=rgb.shape[:2]), 2) * 10).round(4).astype(float)
        image = rgb.astype(float)
        image = 2 * (image - image.min()) / (image.max() - image.min()) - 1
        masks = []
        for scale in [50, 100, 150, 250, 500, 1200]:
            labels = felzenszwalb(image, scale=scale, sigma=0.8, min_size=least)
            masks += [dilation(labels == label, disk(radius)) for label in range(labels.max() + 1)]
        found = np.full(attribution.shape, -np.inf)
        taken = np.zeros(attribution.shape, dtype=bool)
        remaining = list(masks)
        while True:
            remaining = [mask for mask in remaining if (mask & ~taken).sum() >= added]
            if not remaining:
                break
            gains = [attribution[mask & ~taken].mean() for mask in remaining]
            best = int(np.argmax(gains))
            found[remaining[best] & ~taken] = gains[best]
            taken |= remaining.pop(best)
        rest = found == -np.inf
        if rest.any():
            found[rest] = attribution[rest].mean()
        cases.append(
            {
                "sample": sample,
                "height": size[1],
                "width": size[0],
                "least": least,
                "dilation": radius,
                "added": added,
                "rgb": encoded(rgb.astype(np.uint8)),
                "masks": len(masks),
                "attribution": attribution.flatten().round(4).tolist(),
                "map": found.flatten().round(9).tolist(),
            }
        )
    write("xrai", "a literal loop over skimage.segmentation.felzenszwalb and skimage.morphology.dilation", {"cases": cases})


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    TO.mkdir(parents=True, exist_ok=True)
    for golden in [occlusion, rise, games, partition, lime, segmentation, xrai]:
        golden()
