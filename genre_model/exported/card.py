"""A model's card in the model hub's form: YAML for programs, then what people should know."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from genre_model.learning.bundle import Bundle
from genre_model.printable import as_markdown

CARD_FILE = "card.md"
OF_ITS_FOLDER = "## What it is\n"
"""Of a model's own card: tells how its folder is used, which is not this one."""


def card(
    bundle: Bundle, *, model: str, metrics: Mapping[str, object] | None, told: str = ""
) -> str:
    """Write the card.

    Parameters
    ----------
    bundle : Bundle
    model : str
        Its id.
    metrics : Mapping, optional
        Of its test split: `track_accuracy`, `track_accuracy_interval`, `tracks`.
    told : str
        The model's own card: all of its sections follow, but for what it says of its own folder.

    Returns
    -------
    str
        Markdown; its head is YAML of JSON's values, which is YAML, too.
    """
    head = {
        "library_name": "onnx",
        "license": "other",
        "pipeline_tag": "audio-classification",
        "tags": ["audio-classification", "music", "genre", bundle.features.name],
    }
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in head.items()]
    sections = [
        f"# {as_markdown(model)}",
        "Names the genre of songs, over their whole length, by windows of "
        f"{bundle.features.window_length_seconds:.2f} s: "
        f"{', '.join(map(as_markdown, bundle.genres))}.",
        _worth(metrics),
        _made(bundle),
        "    pip install -r requirements.txt\n    python predict.py song.mp3",
        "predict.py is under the Apache License 2.0; of the model the licences below hold.",
        _licences(bundle),
        *_sections(told),
    ]
    return "\n".join(["---", *lines, "---", "", "\n\n".join(filter(None, sections)), ""])


def _sections(told: str) -> list[str]:
    """Take the sections of a model's own card: licences, training, where it fails, its limits."""
    parts = re.split(r"^(?=## )", told, flags=re.MULTILINE)[1:]
    return [each.strip() for each in parts if not each.startswith(OF_ITS_FOLDER)]


def _worth(metrics: Mapping[str, object] | None) -> str:
    match metrics:
        case {
            "track_accuracy": float() as accuracy,
            "track_accuracy_interval": [float() as low, float() as high],
            "tracks": int() as tracks,
        }:
            return (
                f"Of {tracks} test tracks it names {accuracy:.1%} right (95 % interval {low:.1%} "
                f"to {high:.1%}). That is of this data set alone, and no promise for other music."
            )
    return "It was not judged on test tracks."


def _made(bundle: Bundle) -> str:
    said = {
        name: bundle.params.get(name)
        for name in ("network", "parameters", "data_set", "catalogue", "seed", "trained")
    }
    rows = [
        f"| {name} | {as_markdown(value)} |" for name, value in said.items() if value is not None
    ]
    rows.append(f"| features | {as_markdown(bundle.features.name)} |")
    return "\n".join(["| | |", "|---|---|", *rows])


def _licences(bundle: Bundle) -> str:
    if not bundle.licences:
        return ""
    lines = [
        "- " + ", ".join(f"{as_markdown(name)}: {as_markdown(text)}" for name, text in each.items())
        for each in bundle.licences
    ]
    if bundle.licence_files:
        names = ", ".join(map(as_markdown, bundle.licence_files))
        lines += ["", f"The whole texts lie beside this card: {names}."]
    return "\n".join(["The pretrained nets within have licences of their own:", "", *lines])
