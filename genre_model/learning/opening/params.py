"""What a model's params.json tells, from whoever wrote it: every value of its kind."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from genre_model.errors import ModelError
from genre_model.judging.rules import RULES
from genre_model.learning.opening.plain_json import Json, plain_object
from genre_model.learning.opening.whole_file import read_whole
from genre_model.specs import SPLIT_POLICIES

FORMAT = 2
PARAMS_FILE = "params.json"
MOST_BYTES = 2**20
DEEPEST = 20
MOST_GENRES = 1_000
LONGEST_TEXT = 1_000
MOST_LICENCES = 100
MOST_FILES = 100


def read_params(folder: Path) -> Json:
    """Read a model's params.json; imports no Keras.

    Raises
    ------
    ModelError
        If it is missing, no JSON object, of another format, or holds what is no such value.
    """
    path = folder / PARAMS_FILE
    params = _read(path)
    if params.get("format") != FORMAT:
        raise ModelError(
            f"{path} is of format {_short(params.get('format'))} and this version reads {FORMAT}; "
            "train the model again or use the version that wrote it"
        )
    return checked_params(params, where=str(path))


def checked_params(params: Json, *, where: str) -> Json:
    """Refuse values of another kind than those of params.json.

    What is not there is not missed here; whoever needs it says so.

    Parameters
    ----------
    params : dict
        As it was read.
    where : str
        Its file, for the sentence.

    Returns
    -------
    dict
        The same.

    Raises
    ------
    ModelError
    """
    for name, (is_one, what) in _KINDS.items():
        if name in params and not is_one(params[name]):
            raise ModelError(
                f"{where} gives {_short(params[name])} as {name}, which must be {what}; train the "
                "model again"
            )
    return params


def stated_id(folder: Path) -> str | None:
    """Return the id that a folder's params.json tells, None if it tells none that could be one."""
    try:
        said = _read(folder / PARAMS_FILE).get("id")
    except ModelError:
        return None
    return said if isinstance(said, str) and re.fullmatch(r"\w[\w.-]*", said) else None


def _read(path: Path) -> Json:
    try:
        data = read_whole(path, most=MOST_BYTES)
    except FileNotFoundError as error:
        raise ModelError(
            f"{path.parent} has no {path.name}; give a model's folder as `genre train` writes it"
        ) from error
    try:
        return plain_object(data, deepest=DEEPEST)
    except ModelError as error:
        raise ModelError(f"{path} {error}; train the model again") from error


def is_plain_name(name: object) -> bool:
    """Whether a name stays in its folder when it becomes a path.

    Examples
    --------
    >>> [is_plain_name(name) for name in ("demo-0a1b", "../demo", "a/b", "", "..", 3)]
    [True, False, False, False, False, False]
    """
    if not isinstance(name, str) or not name.isprintable() or name.startswith("."):
        return False
    return bool(name) and len(name) <= 255 and not {"/", "\\", ":"} & set(name)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _are_genres(value: object) -> bool:
    if not isinstance(value, list) or not all(_is_text(each) and each for each in value):
        return False
    return 0 < len(value) <= MOST_GENRES and len(set(value)) == len(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_share(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value) and 0 <= value <= 1


def _is_rule(value: object) -> bool:
    return value in RULES


def _is_temperature(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value) and 0.001 <= value <= 1000


def _is_share_or_none(value: object) -> bool:
    return value is None or _is_share(value)


def _is_keras_file(value: object) -> bool:
    return is_plain_name(value) and str(value).endswith(".keras")


def _is_rate(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def _are_licences(value: object) -> bool:
    if not isinstance(value, list) or len(value) > MOST_LICENCES:
        return False
    return all(
        isinstance(each, dict) and all(_is_text(text) for pair in each.items() for text in pair)
        for each in value
    )


def _are_hashes(value: object) -> bool:
    if not isinstance(value, dict) or len(value) > MOST_FILES:
        return False
    return all(
        is_plain_name(name) and isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest)
        for name, digest in value.items()
    )


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


_NAME = (is_plain_name, "a plain name")
_TEXT = (_is_text, f"a text of {LONGEST_TEXT:,} characters at most")
_WHOLE = (_is_whole, "a whole number of at least 0")
_SHARE = (_is_share, "a number from 0 to 1")
_RATE = (_is_rate, "a number of at least 0")
_OBJECT = (_is_object, "an object")
_KINDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "id": _NAME,
    "file": (_is_keras_file, "the name of a .keras file beside it"),
    "network": _NAME,
    "genres": (_are_genres, f"a list of 1 to {MOST_GENRES:,} different texts"),
    "files": (_are_hashes, "an object of files' names and their sha256"),
    "features": _OBJECT,
    "licences": (_are_licences, f"a list of at most {MOST_LICENCES} objects of texts"),
    "recipe": _OBJECT,
    "train_spec": _OBJECT,
    "catalogue": _NAME,
    "data_set": _NAME,
    "split_policy": (lambda value: value in SPLIT_POLICIES, f"one of {', '.join(SPLIT_POLICIES)}"),
    "backend": _TEXT,
    "device": _TEXT,
    "trained": _TEXT,
    "parameters": _WHOLE,
    "epochs": _WHOLE,
    "best_epoch": _WHOLE,
    "seed": _WHOLE,
    "validation_track_accuracy": _SHARE,
    "validation_window_accuracy": _SHARE,
    "stall_share": _SHARE,
    "windows_per_second": _RATE,
    "track_rule": (_is_rule, f"one of {', '.join(RULES)}"),
    "temperature": (_is_temperature, "a number from 0.001 to 1,000"),
    "threshold": (_is_share_or_none, "a number from 0 to 1, or null"),
}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
