"""Goldens of the metrics, by the peers' own code where it installs, else by literal NumPy from the papers.

    npx tsx bench/conformance/metrics.ts > test/fixtures/conformance/metrics/inputs.json
    python bench/conformance/metrics.py test/fixtures/conformance/metrics

Peers: Quantus (pointing game, top-k intersection, relevance inside, complexity, sparseness), pytorch-grad-cam (ROAD's linear
imputation), scikit-learn (precision and recall), SciPy (correlations, Gaussian); ferret's formulas are written out. The
packages of requirements.txt; quantus with `--no-deps`, for its other requirements are not used here.
"""

import json
import math
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import quantus
import torch
from quantus.functions.complexity_func import discrete_entropy
from pytorch_grad_cam.metrics.road import NoisyLinearImputer, neighbors_weights
from scipy.ndimage import gaussian_filter
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import spsolve
from scipy.stats import kendalltau, pearsonr, spearmanr
from sklearn.metrics import auc, precision_recall_curve

FOLDER = Path(sys.argv[1])
INPUTS = json.loads((FOLDER / "inputs.json").read_text())
F32 = np.float32


def softmax(logits):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# ---------------------------------------------------------------- picture
I = INPUTS["image"]
SIDE = I["side"]
AREA = SIDE * SIDE
X = np.array(I["picture"], F32)
W = np.array(I["w"], F32).astype(float)
V = np.array(I["v"], F32).astype(float)
INSIDE = np.array(I["inside"]).reshape(SIDE, SIDE)


def logits_of(x):
    """As float32 leaves the model. x [3 * AREA]."""
    x = np.asarray(x, F32).astype(float)
    return (W @ np.tanh(x) + 0.05 * (V @ x) ** 2).astype(F32).astype(float)


def p_of(x, k=0):
    return softmax(logits_of(x))[k]


def score_of(x, k=0):
    return logits_of(x)[k]


def attribution_of(x, k=0):
    return (W[k] * np.tanh(np.asarray(x, F32).astype(float))).reshape(3, AREA).sum(0).astype(F32).astype(float)


MAP = attribution_of(X)
ORDER = sorted(range(AREA), key=lambda at: (-MAP[at], at))


def rise_kernel():
    """gkern of github.com/eclique/RISE, evaluation.py."""
    dirac = np.zeros((11, 11))
    dirac[5, 5] = 1
    return gaussian_filter(dirac, 5)


def rise_blur(x):
    """torch.nn.functional.conv2d with padding 5, channel by channel."""
    kernel = torch.from_numpy(rise_kernel())[None, None]
    planes = torch.from_numpy(np.asarray(x, float).reshape(3, 1, SIDE, SIDE))
    return torch.nn.functional.conv2d(planes, kernel, padding=5).numpy().reshape(-1)


def causal(start, finish, counts):
    values = []
    for count in counts:
        x = np.array(start, float).reshape(3, AREA)
        x[:, ORDER[:count]] = np.array(finish, float).reshape(3, AREA)[:, ORDER[:count]]
        values.append(p_of(x.reshape(-1)))
    return values


def rise_auc(curve):
    curve = np.array(curve)
    return (curve.sum() - curve[0] / 2 - curve[-1] / 2) / (len(curve) - 1)


def xplique_auc(curve):
    curve = np.array(curve)
    return np.mean(curve[:-1] + curve[1:]) * 0.5


def with_curve(value, share, curve):
    return {"value": float(value), "curve": {"share": [float(s) for s in share], "value": [float(v) for v in curve]}}


def image_goldens():
    rows = []

    def add(metric, params, golden, by):
        golden = golden if isinstance(golden, dict) else {"value": float(golden)}
        rows.append({"modality": "image", "metric": metric, "params": params, "by": by, **golden})

    steps = 5
    zeros = np.zeros_like(X)
    at_once = math.ceil(AREA / steps)
    n_steps = (AREA + at_once - 1) // at_once
    rise = [min(AREA, at_once * i) for i in range(n_steps + 1)]
    xplique = np.linspace(0, AREA, steps + 1, dtype=np.int32).tolist()
    for dialect, counts, area_of in (("rise", rise, rise_auc), ("xplique", xplique, xplique_auc)):
        share = [c / AREA for c in counts]
        start = rise_blur(X) if dialect == "rise" else zeros
        deleted, inserted = causal(X, zeros, counts), causal(start, X, counts)
        by = f"{dialect}'s formula"
        add("deletion", {"steps": steps, "dialect": dialect}, with_curve(area_of(deleted), share, deleted), by)
        add("insertion", {"steps": steps, "dialect": dialect}, with_curve(area_of(inserted), share, inserted), by)

    for sign in (1, -1):
        rectified = np.maximum(sign * MAP, 0)
        mask = (rectified - rectified.min()) / (rectified.max() - rectified.min())
        whole, shown = p_of(X), p_of((X.reshape(3, AREA) * mask).reshape(-1))
        signed = {"sign": sign}
        add("average-drop", {}, {"value": float(max(0, whole - shown) / whole), **signed}, "1710.11063")
        add("increase", {}, {"value": float(shown > whole), **signed}, "1710.11063")
        add("average-gain", {}, {"value": float(max(0, shown - whole) / (1 - whole)), **signed}, "2301.07002")

    # ROAD: pytorch-grad-cam's imputer, without noise.
    curves = {}
    shares = [0.25, 0.5, 0.75]
    for first, order in (("most", ORDER), ("least", ORDER[::-1])):
        curves[first] = []
        for share in shares:
            kept = np.ones(AREA)
            kept[order[: math.floor(share * AREA)]] = 0
            picture = X.astype(float).reshape(3, SIDE, SIDE)
            system, right = NoisyLinearImputer.setup_sparse_system(kept.reshape(SIDE, SIDE), picture, neighbors_weights)
            filled = picture.reshape(3, AREA).copy()
            filled[:, np.flatnonzero(kept == 0)] = spsolve(csc_matrix(system), right).reshape(-1, 3).T
            curves[first].append(p_of(filled.reshape(-1)))
    params = {"steps": 3, "noise": 0}
    by = "pytorch-grad-cam's NoisyLinearImputer"
    add("road-most", params, with_curve(np.mean(curves["most"]), shares, curves["most"]), by)
    add("road-least", params, with_curve(np.mean(curves["least"]), shares, curves["least"]), by)
    combined = (np.array(curves["least"]) - np.array(curves["most"])) / 2
    add("road-combined", params, with_curve(combined.mean(), shares, combined), by)

    def effects(sets):
        attributed, lost = [], []
        for chosen in sets:
            x = X.astype(float).reshape(3, AREA).copy()
            x[:, chosen] = 0
            attributed.append(MAP[chosen].sum())
            lost.append(score_of(X) - score_of(x.reshape(-1)))
        return np.array(attributed), np.array(lost)

    params = {"samples": 20, "share": 0.25}
    add("faithfulness-correlation", params, pearsonr(*effects(I["subsets"]))[0], "2005.00631 by SciPy")
    correlations = [pearsonr(*effects(sets))[0] for sets in I["sensitivity"]]
    share = [len(sets[0]) / AREA for sets in I["sensitivity"]]
    params = {"sizes": 4, "samples": 10}
    add("sensitivity-n", params, with_curve(np.mean(correlations), share, correlations), "1711.06104 by SciPy")
    attributed, lost = effects(I["squares"])
    beta = (attributed * lost).sum() / (attributed**2).sum()
    side = 2 / SIDE
    for scale, factor in (("best", beta), ("none", 1)):
        params = {"samples": 20, "side": side, "scale": scale}
        add("infidelity", params, np.mean((factor * attributed - lost) ** 2), "1901.09392")
    difference = score_of(X) - score_of(zeros)
    add("completeness-error", {"baseline": "zero"}, abs(MAP.sum() - difference) / abs(difference), "1703.01365")

    moves = []
    for unit in I["neighbours"]:
        moved = (X.astype(float) + 0.001 * 255 * np.array(unit)).astype(F32)
        there = attribution_of(moved)
        moves.append((np.linalg.norm(moved.astype(float) - X.astype(float)), np.linalg.norm(there - MAP)))
    params = {"samples": 3, "radius": 0.001}
    add("max-sensitivity", params, max(m for _, m in moves) / np.linalg.norm(MAP), "1901.09392")
    add("local-lipschitz", params, max(m / d for d, m in moves), "1806.08049")
    others = [at if at < 0 else at + 1 for at in I["otherClasses"]]
    similarity = np.mean([spearmanr(MAP, attribution_of(X, k))[0] for k in others])
    add("random-logit", {"classes": 2}, similarity, "1912.09818 with SciPy's spearmanr")

    def forgotten(values, share):
        return ((1 - share) * values + share * values[::-1] * (1 + values)).astype(F32).astype(float)

    steps = [0.25, 0.5, 0.75, 1]
    correlations = [spearmanr(np.abs(MAP), np.abs(forgotten(MAP, share)))[0] for share in steps]
    by = "1810.03292 with SciPy's spearmanr"
    add("mprt", {"steps": 4}, with_curve(np.mean(correlations), steps, correlations), by)
    deviation = F32(0.1 * (float(X.max()) - float(X.min())))
    noisy = [(X.astype(float) + (deviation * np.array(unit)).astype(F32)).astype(F32) for unit in I["noise"]]
    before = np.mean([attribution_of(x) for x in noisy], axis=0)
    after = [np.mean([forgotten(attribution_of(x), share) for x in noisy], axis=0) for share in steps]
    correlations = [spearmanr(np.abs(before), np.abs(one))[0] for one in after]
    params = {"steps": 4, "samples": 2, "noise": 0.1}
    by = "2401.06465 with SciPy's spearmanr"
    add("smooth-mprt", params, with_curve(np.mean(correlations), steps, correlations), by)

    before, after = (discrete_entropy(a=one, x=one, n_bins=100) for one in (MAP, forgotten(MAP, 1)))
    add("efficient-mprt", {}, (after - before) / before, "Quantus' discrete_entropy")

    a = MAP.reshape(1, 1, SIDE, SIDE)
    s = INSIDE.reshape(1, 1, SIDE, SIDE)
    x = X.astype(float).reshape(1, 3, SIDE, SIDE)
    quiet = {"disable_warnings": True, "abs": False, "normalise": False}
    add("pointing-game", {"dialect": "quantus"}, quantus.PointingGame(**quiet).evaluate_batch(a_batch=a, s_batch=s)[0], "Quantus")
    top = np.unravel_index(MAP.argmax(), (SIDE, SIDE))
    near = any((y - top[0]) ** 2 + (z - top[1]) ** 2 <= 15**2 for y, z in np.argwhere(INSIDE == 1))
    add("pointing-game", {"dialect": "torchray"}, float(near), "TorchRay's formula")
    inside = quantus.AttributionLocalisation(positive_attributions=True, **quiet)
    add("energy-inside", {}, inside.evaluate_batch(x_batch=x, a_batch=a.copy(), s_batch=s)[0], "Quantus")
    intersection = quantus.TopKIntersection(k=10, **quiet)
    add("top-k-intersection", {"k": 10}, intersection.evaluate_batch(a_batch=a, s_batch=s)[0], "Quantus")
    thresholds = [(at + 1) / 100 for at in range(100)]

    def iou(threshold):
        high = MAP.astype(F32) >= threshold * MAP.max()
        marked = INSIDE.reshape(-1) == 1
        return (high & marked).sum() / (high | marked).sum()

    curve = [iou(t) for t in thresholds]
    add("iou", {"at": "best"}, with_curve(max(curve), thresholds, curve), "1512.04150")
    add("iou", {"at": "fixed", "threshold": 0.3}, iou(0.3), "1512.04150")
    absolute = np.abs(a)
    add("entropy", {}, quantus.Complexity(**quiet).evaluate_batch(x_batch=x, a_batch=absolute.copy())[0], "Quantus")
    add("gini", {}, quantus.Sparseness(**quiet).evaluate_batch(x_batch=x, a_batch=absolute.copy())[0], "Quantus")
    return rows


# ---------------------------------------------------------------- text
T = INPUTS["text"]
IDS = T["ids"]
U, VT = np.array(T["u"]), np.array(T["v"])
WORDS = {int(key): np.array(vector, F32).astype(float) for key, vector in T["words"].items()}
INNER = list(range(1, len(IDS) - 1))
MARKED = sorted({token for span in T["spans"] for token in span})


def logits_at(embedding):
    """[T, E] -> [3], as float32 leaves the model."""
    first = np.tanh(embedding @ U).sum()
    return np.array([first, (embedding @ VT).sum() ** 2 / 2, 3]).astype(F32).astype(float)


def embedding_of(ids):
    return np.array([WORDS[i] for i in ids])


def p_text(ids):
    return softmax(logits_at(embedding_of(ids)))[0]


def scores_of(ids, k=0):
    e = embedding_of(ids)
    around = 1 + 0.1 * (e @ VT).sum()
    return (around * (np.tanh(e @ U) if k == 0 else e @ VT)).astype(F32).astype(float)


SCORES = scores_of(IDS)
RANKED = sorted(INNER, key=lambda at: (-SCORES[at], at))


def without(gone):
    return [i for at, i in enumerate(IDS) if at not in set(gone)]


def keeping(kept):
    return [i for at, i in enumerate(IDS) if at in (0, len(IDS) - 1) or at in set(kept)]


def ferret_top(scores, count):
    """_get_id_tokens_top_k of ferret's evaluators/utils_from_soft_to_discrete.py; the package itself breaks on NumPy 2."""
    return np.array(scores).argsort()[-count:][::-1]


def text_goldens():
    rows = []

    def add(metric, params, golden, by):
        golden = golden if isinstance(golden, dict) else {"value": float(golden)}
        rows.append({"modality": "text", "metric": metric, "params": params, "by": by, **golden})

    inner = SCORES[INNER]
    eraser = [math.ceil(share * len(INNER)) for share in (0.01, 0.05, 0.1, 0.2, 0.5)]
    # As ferret's AOPC loops: none and repeated rationales are left out.
    ferret, last = [], None
    for share in np.arange(0.1, 1.1, 0.1):
        size = int(share * len(inner))
        if size == 0 or set(ferret_top(inner, size)) == last:
            continue
        top = ferret_top(inner, size)
        last = set(top)
        ferret.append(sorted(INNER[at] for at in top))
    rationales = {"eraser": [RANKED[:size] for size in eraser], "ferret": ferret}
    for dialect, sets in rationales.items():
        share = [len(one) / len(INNER) for one in sets]
        for metric, rest in (("comprehensiveness", without), ("sufficiency", keeping)):
            curve = [p_text(rest(one)) for one in sets]
            value = np.mean([p_text(IDS) - p for p in curve])
            add(metric, {"dialect": dialect}, with_curve(value, share, curve), f"{dialect}'s formula")

    effects = [p_text(IDS) - p_text(without([token])) for token in INNER]
    add("tau-loo", {}, kendalltau(effects, inner)[0], "SciPy's kendalltau, as ferret")
    for replacement in ("pad", "mask"):
        gone = set(RANKED[: math.ceil(0.3 * len(INNER))])
        ids = [T[replacement] if at in gone else i for at, i in enumerate(IDS)]
        embedding = embedding_of(ids)
        left = softmax(logits_at(embedding))[0]
        add("log-odds", {"share": 0.3, "replacement": replacement}, math.log(left) - math.log(p_text(IDS)), "2004.02015")

    zero = np.where(np.isin(np.arange(len(IDS)), INNER)[:, None], 0, embedding_of(IDS))
    difference = logits_at(embedding_of(IDS))[0] - logits_at(zero)[0]
    add("completeness-error", {"baseline": "zero"}, abs(SCORES.sum() - difference) / abs(difference), "1703.01365")

    # Soft perturbation: 2305.10496.
    importance = np.ones(len(IDS))
    importance[INNER] = (inner - inner.min()) / (inner.max() - inner.min())
    special = np.ones(len(IDS), bool)
    special[INNER] = False
    whole, empty = p_text(IDS), softmax(logits_at(zero))[0]
    for metric, keep in (("soft-sufficiency", importance), ("soft-comprehensiveness", np.where(special, 1, 1 - importance))):
        values = []
        for draws in T["dropped"]:
            kept = np.array(draws).reshape(len(IDS), -1) < keep[:, None]
            p = softmax(logits_at(embedding_of(IDS) * kept))[0]
            sufficiency, none = 1 - max(0, whole - p), 1 - max(0, whole - empty)
            norm = (sufficiency - none) / (1 - none) if metric == "soft-sufficiency" else max(0, whole - p) / (1 - none)
            values.append(norm)
        add(metric, {"samples": 4}, np.mean(values), "2305.10496")

    moves = []
    for gone in T["neighbours"]:
        ids = [T["mask"] if at in gone else i for at, i in enumerate(IDS)]
        same = [at for at in INNER if at not in gone]
        moved = np.linalg.norm(embedding_of(ids) - embedding_of(IDS))
        moves.append((moved, np.linalg.norm((scores_of(ids) - SCORES)[same])))
    params = {"samples": 3, "replaced": 2}
    add("max-sensitivity", params, max(m for _, m in moves) / np.linalg.norm(SCORES), "1901.09392")
    add("local-lipschitz", params, max(m / d for d, m in moves), "1806.08049")
    others = [at + 1 for at in T["otherClasses"]]
    similarity = np.mean([spearmanr(inner, scores_of(IDS, k)[INNER])[0] for k in others])
    add("random-logit", {"classes": 2}, similarity, "1912.09818 with SciPy's spearmanr")

    def forgotten(share):
        return ((1 - share) * SCORES + share * SCORES[::-1] * (1 + SCORES)).astype(F32).astype(float)[INNER]

    steps = [0.25, 0.5, 0.75, 1]
    correlations = [spearmanr(np.abs(inner), np.abs(forgotten(share)))[0] for share in steps]
    add("mprt", {"steps": 4}, with_curve(np.mean(correlations), steps, correlations), "1810.03292 with SciPy's spearmanr")
    before, after = (discrete_entropy(a=one, x=one, n_bins=100) for one in (inner, forgotten(1)))
    add("efficient-mprt", {}, (after - before) / before, "Quantus' discrete_entropy")

    truth = np.array([token in MARKED for token in INNER])
    precision, recall, _ = precision_recall_curve(truth, inner)
    add("auprc", {}, auc(recall, precision), "scikit-learn, as ERASER and ferret")
    for count in (len(MARKED), 5):
        top = np.isin(np.arange(len(inner)), ferret_top(inner, count))
        hits = (top & truth).sum()
        p, r = hits / top.sum(), hits / truth.sum()
        params = {"tokens": None if count == len(MARKED) else count}
        add("token-f1", params, 0 if p + r == 0 else 2 * p * r / (p + r), "ferret's formula")
        add("iou-f1", {**params, "dialect": "ferret"}, hits / (top | truth).sum(), "ferret's formula")
    # ERASER: spans that share half of what either has.
    top = sorted(RANKED[:5])
    spans = [[top[0]]]
    for token in top[1:]:
        spans[-1].append(token) if token == spans[-1][-1] + 1 else spans.append([token])

    def match(one, others):
        return any(len(set(one) & set(other)) / len(set(one) | set(other)) >= 0.3 for other in others)

    p = np.mean([match(span, T["spans"]) for span in spans])
    r = np.mean([match(span, spans) for span in T["spans"]])
    params = {"tokens": 5, "dialect": "eraser", "threshold": 0.3}
    add("iou-f1", params, 0 if p + r == 0 else 2 * p * r / (p + r), "1911.03429")

    a, x = np.abs(inner)[None], np.zeros((1, len(INNER)))
    quiet = {"disable_warnings": True, "abs": False, "normalise": False}
    add("entropy", {}, quantus.Complexity(**quiet).evaluate_batch(x_batch=x, a_batch=a.copy())[0], "Quantus")
    add("gini", {}, quantus.Sparseness(**quiet).evaluate_batch(x_batch=x, a_batch=a.copy())[0], "Quantus")
    return rows


packages = ["numpy", "scipy", "scikit-learn", "torch", "grad-cam", "quantus"]
goldens = {
    "provenance": {
        "script": "bench/conformance/metrics.py",
        "command": "python bench/conformance/metrics.py test/fixtures/conformance/metrics",
        "date": date.today().isoformat(),
        "python": sys.version.split()[0],
        "packages": {name: version(name) for name in packages},
        "seed": 0,
    },
    "kernel": rise_kernel().tolist(),
    "rows": image_goldens() + text_goldens(),
}
(FOLDER / "goldens.json").write_text(json.dumps(goldens) + "\n")
