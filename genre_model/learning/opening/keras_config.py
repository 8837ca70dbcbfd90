"""The layers of a `.keras` file: Keras's own, and only those that compute and do nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from genre_model.errors import ModelError
from genre_model.learning.opening.plain_json import Json, plain_object

DEEPEST = 40
MOST_LAYERS = 1_000

MODELS = {("keras.src.models.functional", "Functional"), ("keras", "Sequential")}
"""What the whole may be: layers side by side, or one after the other; no model within a model."""

_LAYERS = """
InputLayer Identity Dense EinsumDense Embedding
Conv1D Conv2D SeparableConv1D SeparableConv2D DepthwiseConv1D DepthwiseConv2D
MaxPooling1D MaxPooling2D AveragePooling1D AveragePooling2D
GlobalMaxPooling1D GlobalMaxPooling2D GlobalAveragePooling1D GlobalAveragePooling2D
Normalization Rescaling BatchNormalization LayerNormalization GroupNormalization
UnitNormalization RMSNormalization
Activation ReLU LeakyReLU PReLU ELU Softmax
Dropout SpatialDropout1D SpatialDropout2D GaussianDropout GaussianNoise AlphaDropout
Add Subtract Multiply Average Maximum Minimum Concatenate Dot
Flatten Reshape Permute RepeatVector Cropping1D Cropping2D ZeroPadding1D ZeroPadding2D
Attention AdditiveAttention MultiHeadAttention
"""
LAYERS = frozenset(_LAYERS.split())
"""What a network's layers may be.

Not among them are those that run what is no layer (`Lambda`, `TFSMLayer`, `JaxLayer` …), open files
(`StringLookup`, `TextVectorization` …), hold other layers, or are repeated as often as they say.
"""

_PARTS = ("keras.initializers", "keras.regularizers", "keras.constraints")
_OF_TORCH = "keras.src.backend.torch.optimizers.torch_"  # what Keras makes of its own, there
_TRAINING = (
    *("keras.optimizers", "keras.optimizers.schedules", "keras.losses", "keras.metrics"),
    *(f"{_OF_TORCH}{each}" for each in ("adam", "adamw", "sgd")),
)
_TENSOR = "__keras_tensor__"


def checked_config(data: bytes, *, with_training: bool) -> Json:
    """Read the layers of a `.keras` file, and refuse what no network of this project has.

    Parameters
    ----------
    data : bytes
        The file's config.json.
    with_training : bool
        Whether how it was trained (optimiser, loss) is wanted too; else it is left out.

    Returns
    -------
    dict
        For `keras.saving.deserialize_keras_object`, which takes it apart.

    Raises
    ------
    ModelError
        The text says what is refused, as the end of a sentence.
    """
    try:
        config = plain_object(data, deepest=DEEPEST)
    except ModelError as error:
        raise ModelError(f"has a config.json that {error}") from error
    training = config.pop("compile_config", None)
    _check_model(config)
    inner = {key: value for key, value in config.items() if key != "class_name"}
    for each in _objects(inner):
        _check_object(each, modules=_PARTS)
    if with_training:
        for each in _objects(training):
            _check_object(each, modules=(*_PARTS, *_TRAINING))
        config["compile_config"] = training
    return config


def _check_model(config: Json) -> None:
    if (name := _name(config)) not in MODELS:
        raise ModelError(f"holds {_called(name)}, which is no model of Keras's own layers")
    layers = config["config"].get("layers") if isinstance(config.get("config"), dict) else None
    if not isinstance(layers, list) or not 0 < len(layers) <= MOST_LAYERS:
        raise ModelError(f"has no list of 1 to {MOST_LAYERS:,} layers")


def _check_object(each: Json, *, modules: tuple[str, ...]) -> None:
    module, kind = name = _name(each)
    if each.get("registered_name") not in (None, kind):
        other = str(each["registered_name"])[:60]
        raise ModelError(f"holds {other!r}, a class that is not Keras's")
    is_layer = module == "keras.layers" and kind in LAYERS
    is_tensor = module is None and kind == _TENSOR
    is_policy = name == ("keras", "DTypePolicy")
    is_part = module in modules and kind.isidentifier() and not kind.startswith("_")
    if not (is_layer or is_tensor or is_policy or is_part):
        raise ModelError(
            f"holds {_called(name)}, which is none of the layers that networks are opened with"
        )


def _name(each: Json) -> tuple[str | None, str]:
    module, kind = each.get("module"), each.get("class_name")
    if not isinstance(kind, str) or not isinstance(module, str | None):
        raise ModelError("holds a class whose name is no text")
    return module, kind


def _called(name: tuple[str | None, str]) -> str:
    return repr(".".join(part[:60] for part in name if part))


def _objects(content: object) -> Iterator[Json]:
    """Yield every object within a value that names a class."""
    level = [content]
    while level:
        each = level.pop()
        if isinstance(each, dict):
            if "class_name" in each:
                yield each
            level += each.values()
        elif isinstance(each, list):
            level += each
