"""A model's folder for anywhere: ONNX files, mel filters, a script that needs neither of us.

model.onnx  filters.npy  *.onnx   the network, its mel filters, the nets of its backbone
*                                 what else its params.json names but the Keras file, as licences
params.json                       what the model is, and the sha256 of these files
script.json                       the numbers that the script goes by
predict.py  requirements.txt      genres of songs, in fewer than 80 lines
card.md                           what it is for people and model hubs
song.onnx                         if it is wanted: all of it, from samples to probabilities
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from genre_model.errors import ModelError
from genre_model.exported.card import CARD_FILE, card
from genre_model.exported.single_file import SONG_FILE
from genre_model.frontends.backbone import Backbone
from genre_model.frontends.log_mel import LogMel
from genre_model.frontends.mfcc import Mfcc
from genre_model.judging.judgement import Judgement
from genre_model.learning.bundle import FILTERS_FILE, ONNX_FILE, Bundle
from genre_model.learning.opening.params import PARAMS_FILE
from genre_model.portable.session import open_session
from genre_model.signal.scales import LEAST_POWER

SCRIPT_FILE, SETTINGS_FILE = "predict.py", "script.json"
NEEDS = ("numpy", "onnxruntime", "soundfile", "soxr")
_SCRIPT = Path(__file__).with_name("predict.txt")


_DECADE = 1 / math.log(10)
_SCALES: Mapping[str, tuple[float, float, float, float]] = {
    "decibel": (10 * _DECADE, 1, 0, LEAST_POWER),
    "image": (10 * _DECADE, 1, 0, LEAST_POWER),
    "log1p": (1, 1, 1, 0),
    "musicnn": (_DECADE, 10_000, 1, 0),
    "yamnet": (1, 1, 0.001, 0),
}
"""Scale or patches -> gain, factor, offset, floor: gain * log(max(factor * x + offset, floor)).

A test compares them with what the frontends make.
"""


def exported(
    bundle: Bundle,
    *,
    model: str,
    metrics: Mapping[str, object] | None,
    told: str = "",
    single_file: bool = False,
) -> dict[str, bytes]:
    """Make the files of a model that runs anywhere.

    Parameters
    ----------
    bundle : Bundle
        Each file is read as the one that was written there.
    model : str
        Its id.
    metrics : Mapping, optional
        Of its test split, for the card.
    told : str
        The model's own card, whose sections the card goes on with.
    single_file : bool
        Whether to add `song.onnx`.

    Returns
    -------
    dict[str, bytes]
        Name -> content.

    Raises
    ------
    ModelError
        If a file is gone or another, the script or the single file lacks what the model needs, or
        the single file says other things than the model.
    """
    onnx = {name: bundle.content(name) for name in (ONNX_FILE, *bundle.features.files)}
    settings = {**_settings(bundle, onnx), "genres": list(bundle.genres), "networks": list(onnx)}
    less = {str(bundle.params["file"]), SONG_FILE}
    more = [name for name in bundle.params["files"] if name not in less]
    opened = {
        **{name: bundle.content(name) for name in more if name not in onnx},
        **onnx,
        FILTERS_FILE: bundle.content(FILTERS_FILE),
        SETTINGS_FILE: _json(settings),
    }
    if single_file:
        opened.update(_single_file(bundle, settings, onnx, model=model))
    hashes = {name: sha256(content).hexdigest() for name, content in opened.items()}
    needs = "".join(f"{name}=={version(name)}\n" for name in NEEDS)
    return {
        **opened,
        PARAMS_FILE: _json({**bundle.params, "files": hashes}),
        SCRIPT_FILE: _SCRIPT.read_bytes(),
        "requirements.txt": needs.encode(),
        CARD_FILE: card(bundle, model=model, metrics=metrics, told=told).encode(),
    }


def _single_file(
    bundle: Bundle, settings: Mapping[str, object], onnx: Mapping[str, bytes], *, model: str
) -> dict[str, bytes]:
    # imported here, as the other files need no onnx
    from genre_model.exported.single_file.proof import check_same
    from genre_model.exported.single_file.song import song

    says = {
        "model": model,
        "genres": list(bundle.genres),
        "sample_rate": bundle.features.mel.sample_rate,
        "window_seconds": bundle.features.window_seconds,
        "window_length_seconds": bundle.features.window_length_seconds,
        "rule": settings["rule"],
        "threshold": Judgement.from_params(bundle.params).threshold,
        "licences": bundle.licences,
        "licence_texts": {
            name: bundle.content(name).decode(errors="replace") for name in bundle.licence_files
        },
    }
    content = song(settings, bundle.extractor().bank.matrix(), onnx, says=says)
    check_same(content, bundle)
    return {SONG_FILE: content}


def _settings(bundle: Bundle, onnx: Mapping[str, bytes]) -> dict[str, object]:
    """Say in numbers how the script makes what the network takes."""
    spec = bundle.features
    cutting, mel = spec.cutting, spec.mel
    length, step = cutting.segment_samples
    return {
        **{name: value for name, value in vars(mel).items() if name != "filters"},
        "kind": spec.kind,
        "windows": cutting.windows,
        "window_frames": cutting.window_frames,
        "window_stride": cutting.window_stride,
        "segment_length": length,
        "segment_step": step,
        "rule": Judgement.from_params(bundle.params).rule,
        "input": open_session(onnx[ONNX_FILE]).get_inputs()[0].name,
        **_of_kind(bundle, onnx),
    }


def _of_kind(bundle: Bundle, onnx: Mapping[str, bytes]) -> dict[str, object]:
    spec = bundle.features
    if isinstance(spec, LogMel):
        return _scale(spec.scale)
    if isinstance(spec, Mfcc):
        return {**_scale("decibel"), "coefficients": spec.coefficients}
    if isinstance(spec, Backbone):
        nets = [
            _net(onnx[net.file], file=net.file, output=net.output, name=net.name)
            for net in spec.nets
        ]
        return {**_scale(spec.patches), "nets": nets}
    raise ModelError(f"models of {spec.kind} features cannot be exported; take one of another kind")


def _scale(name: str) -> dict[str, object]:
    numbers = zip(("gain", "factor", "offset", "floor"), _SCALES[name], strict=True)
    return {**dict(numbers), "below_peak": name == "image"}


def _net(content: bytes, *, file: str, output: str, name: str) -> dict[str, object]:
    (takes,) = open_session(content).get_inputs()
    if isinstance(takes.shape[0], int):
        raise ModelError(
            f"the backbone {name!r} takes {takes.shape[0]} patches at once and no other number, "
            "which the script of an exported model cannot; take one with a free batch"
        )
    has_channel = len(takes.shape) == 4
    return {"file": file, "output": output, "input": takes.name, "channel": has_channel}


def _json(content: object) -> bytes:
    return f"{json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)}\n".encode()
