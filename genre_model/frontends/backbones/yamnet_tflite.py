"""The weights of YAMNet in a TFLite file, of float32 or of eight bits, read as data.

A weight of eight bits is (q - zero) * scale, with a scale for each channel or for all. TensorFlow's
interpreter is not asked: it takes one patch a call, and is to leave TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from genre_model.errors import ModelError
from genre_model.frontends.backbones.yamnet_layers import Folded, Shape

RELU6 = 6.0
_MARK = b"TFL3"


class _Layer(NamedTuple):
    """An operator with weights."""

    kind: str
    weights: Any
    bias: Any
    output: Any
    options: Any


def is_one(content: bytes) -> bool:
    """Say whether a file is TFLite's."""
    return content[4:8] == _MARK


def read(content: bytes, shapes: Sequence[Shape]) -> list[Folded]:
    """Read the layers, whose norms are folded in already; imports TensorFlow.

    Parameters
    ----------
    content : bytes
        A whole TFLite file.
    shapes : Sequence[Shape]
        What is wanted, in order.

    Raises
    ------
    ModelError
        If it is damaged, or its operators with weights are others. The text goes on behind a colon.
    """
    try:
        from tensorflow.lite.python import schema_py_generated as schema

        return _read(schema.ModelT.InitFromPackedBuf(bytearray(content), 0), schema, shapes)
    except ModelError:
        raise
    except Exception as error:  # a damaged FlatBuffer raises just anything
        raise ModelError(f"it is no whole TFLite file ({type(error).__name__})") from error


def _read(model: Any, schema: Any, shapes: Sequence[Shape]) -> list[Folded]:
    layers = _layers(model, schema)
    kinds = [_kind(shape) for shape in shapes]
    if [layer.kind for layer in layers] != kinds:
        raise ModelError(
            f"it has {len(layers)} operators with weights, and should have {len(kinds)}: a "
            "convolution, 13 pairs of a depthwise and a pointwise one, and a dense layer"
        )
    return [
        _folded(model, layer, shape, schema) for layer, shape in zip(layers, shapes, strict=True)
    ]


def _kind(shape: Shape) -> str:
    if len(shape.kernel) == 2:
        return "FULLY_CONNECTED"
    return "DEPTHWISE_CONV_2D" if shape.is_depthwise else "CONV_2D"


def _layers(model: Any, schema: Any) -> list[_Layer]:
    """List the operators with weights, in the order of computation."""
    (graph,) = model.subgraphs
    operators = schema.BuiltinOperator
    kinds = {
        getattr(operators, kind): kind
        for kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    }
    found = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        # old files have the code in a field of eight bits
        kind = kinds.get(max(code.builtinCode, code.deprecatedBuiltinCode))
        if kind is not None:
            _, weights, bias = (graph.tensors[index] for index in operator.inputs)
            output = graph.tensors[operator.outputs[0]]
            found.append(_Layer(kind, weights, bias, output, operator.builtinOptions))
    return found


def _folded(model: Any, layer: _Layer, shape: Shape, schema: Any) -> Folded:
    weights = _values(model, layer.weights, schema)
    bias = _values(model, layer.bias, schema).reshape(-1)
    if shape.stride == 0:
        return Folded(weights.T, bias)
    options = layer.options
    if (options.strideH, options.strideW) != (shape.stride,) * 2 or (
        options.padding != schema.Padding.SAME
    ):
        raise ModelError(
            f"a convolution has stride {options.strideH} x {options.strideW} or other padding than "
            f"'same'; stride {shape.stride} is YAMNet's"
        )
    # [out, height, width, in], of a depthwise one [1, height, width, in], to Keras's order
    return Folded(weights.transpose(1, 2, 3, 0), bias, _limit(layer, schema))


def _limit(layer: _Layer, schema: Any) -> float | None:
    """Say where a convolution's ReLU is cut off: by its name, or where its eight bits end."""
    kinds, types = schema.ActivationFunctionType, schema.TensorType
    said, output = layer.options.fusedActivationFunction, layer.output
    if output.type == types.FLOAT32 and said in (kinds.RELU, kinds.RELU6):
        return None if said == kinds.RELU else RELU6
    if output.type in (types.INT8, types.UINT8):
        limits = np.iinfo(np.uint8 if output.type == types.UINT8 else np.int8)
        scale, zero = float(output.quantization.scale[0]), int(output.quantization.zeroPoint[0])
        if zero == limits.min:  # so that none is below zero
            return (limits.max - zero) * scale
    raise ModelError("a convolution has no ReLU and no ReLU6 behind it")


def _values(model: Any, tensor: Any, schema: Any) -> np.ndarray:
    """Read a constant as real numbers."""
    types = schema.TensorType
    kinds = {types.FLOAT32: "<f4", types.INT8: "i1", types.UINT8: "u1", types.INT32: "<i4"}
    data = model.buffers[tensor.buffer].data
    if tensor.type not in kinds or data is None:
        raise ModelError("it has weights that are neither float32 nor eight bits")
    stored = np.frombuffer(np.asarray(data, np.uint8).tobytes(), kinds[tensor.type])
    values = stored.reshape(tuple(int(size) for size in tensor.shape))
    if tensor.type == types.FLOAT32:
        return values
    quantized = tensor.quantization
    scale, zero = (np.asarray(each, np.float64) for each in (quantized.scale, quantized.zeroPoint))
    if scale.size > 1:  # one for each channel
        along = [1] * values.ndim
        along[quantized.quantizedDimension] = -1
        scale, zero = scale.reshape(along), zero.reshape(along)
    found: np.ndarray = ((values - zero) * scale).astype(np.float32)
    return found
