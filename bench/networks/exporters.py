"""Both of torch's exporters behind one function, and the search for tap names in what they wrote."""

import contextlib
import copy
import logging
import os
import warnings
from pathlib import Path

import numpy
import onnx
import onnxruntime
import torch
from torch import nn

EXPORTERS = ("torchscript", "dynamo")
OPSETS = {"torchscript": (11, 13, 17, 26), "dynamo": (11, 13, 17, 18, 26)}
"""26 is the newest that onnxruntime-node 1.30 takes; 18 is what dynamo writes when it fails to convert further down."""

NEWEST_WRITTEN = {"torchscript": 20, "dynamo": 23}
"""What each exporter can write itself; newer opsets are reached by onnx.version_converter."""


KEPT_METADATA = ("pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy")
"""Module names. Everything else (stack traces, above all) tells of the machine, not of the network."""


class Refused(Exception):
    """The exporter itself said no."""


@contextlib.contextmanager
def silence():
    """Both exporters print whole graphs, from Python and from C++."""
    kept = [(stream, os.dup(stream)) for stream in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    logging.disable(logging.CRITICAL)
    try:
        for stream, _ in kept:
            os.dup2(nowhere, stream)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        for stream, copied in kept:
            os.dup2(copied, stream)
            os.close(copied)
        os.close(nowhere)


def strip(holder) -> None:
    """Leaves out what names files and lines of the exporting machine."""
    kept = [copy.deepcopy(one) for one in holder.metadata_props if one.key in KEPT_METADATA]
    del holder.metadata_props[:]
    holder.metadata_props.extend(kept)
    holder.doc_string = ""


def export(
    network: nn.Module, inputs: dict[str, torch.Tensor], exporter: str, opset: int, path: Path, dynamic: tuple[str, ...]
) -> str | None:
    """Writes `network` to `path`; `dynamic` names the leading axes that stay free.

    Returns a note if a converter had to help. Raises Refused with the first line of what the exporter said.
    """
    written = min(opset, NEWEST_WRITTEN[exporter])
    options = dict(input_names=list(inputs), output_names=["logits"], opset_version=written)
    if exporter == "torchscript":
        axes = {name: dict(enumerate(dynamic)) for name in inputs}
        options |= dict(dynamo=False, dynamic_axes=axes | {"logits": {0: dynamic[0]}}, do_constant_folding=True)
    else:
        shapes = {axis: torch.export.Dim(name, min=1, max=64) for axis, name in enumerate(dynamic)}
        many = tuple(shapes for _ in inputs)
        # A classifier that takes *inputs has one argument, a tuple.
        options |= dict(dynamo=True, external_data=False, dynamic_shapes=many if "image" in inputs else (many,))
    try:
        with silence():
            torch.onnx.export(copy.deepcopy(network), tuple(inputs.values()), str(path), **options)
    except Exception as error:  # whatever it is, it is the exporter's answer
        cause = error.__cause__ or error
        lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
        raise Refused(f"{type(cause).__name__}: {lines[0] if lines else ''}"[:300]) from error
    model = onnx.load(path)
    actual = next(one.version for one in model.opset_import if one.domain in ("", "ai.onnx"))
    note = None
    if actual < opset and opset > NEWEST_WRITTEN[exporter]:
        try:
            model = onnx.version_converter.convert_version(model, opset)
        except Exception as error:
            raise Refused(f"writes opset {actual} at most; onnx.version_converter: {str(error).splitlines()[0]}"[:300]) from error
        note = f"written at opset {actual}, raised to {opset} by onnx.version_converter"
    elif actual != opset:
        raise Refused(f"wrote opset {actual}: its own conversion to {opset} fails, with no more than a log line")
    model.ir_version = min(model.ir_version, 10)
    graph = model.graph
    for holder in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        strip(holder)
    onnx.save(model, path)
    return note


def every_tensor(path: Path, inputs: dict[str, torch.Tensor]) -> dict[str, numpy.ndarray]:
    """Runs the model with every intermediate exposed: name -> value, in graph order.

    Raises Refused where ONNX Runtime cannot run what the exporter wrote.
    """
    model = onnx.load(path)
    outputs = {one.name for one in model.graph.output}
    for node in model.graph.node:
        for name in node.output:
            if name and name not in outputs:
                model.graph.output.append(onnx.ValueInfoProto(name=name))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    order = [name for node in model.graph.node for name in node.output if name]
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        values = session.run(order, {name: value.numpy() for name, value in inputs.items()})
    except Exception as error:  # pybind's exceptions share no base of their own
        raise Refused(f"wrote a file that ONNX Runtime does not run: {str(error).splitlines()[0]}"[:300]) from error
    return dict(zip(order, values, strict=True))


def find(values: dict[str, numpy.ndarray], expected: torch.Tensor) -> str | None:
    """The first tensor in graph order that equals a module's output."""
    wanted = expected.numpy()
    limit = 1e-4 * max(float(numpy.abs(wanted).max()), 1e-6)
    for name, value in values.items():
        if value.dtype == numpy.float32 and value.shape == wanted.shape and numpy.abs(value - wanted).max() < limit:
            return name
    return None
