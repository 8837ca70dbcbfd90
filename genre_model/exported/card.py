"""A model's card in the model hub's form: YAML for programs, then what people should know."""

from __future__ import annotations

import json
from collections.abc import Mapping

from genre_model.learning.bundle import Bundle
from genre_model.printable import as_markdown


def card(bundle: Bundle, *, model: str, metrics: Mapping[str, object] | None) -> str:
    """Write the card.

    Parameters
    ----------
    bundle : Bundle
    model : str
        Its id.
    metrics : Mapping, optional
        Of its test split: `track_accuracy`, `track_accuracy_interval`, `tracks`.

    Returns
    -------
    str
        Markdown; its head is YAML of JSON's values, which is YAML, too.
    """
    head = {
        "library_name": "onnx",
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
        _licences(bundle),
    ]
    return "\n".join(["---", *lines, "---", "", "\n\n".join(filter(None, sections)), ""])


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
