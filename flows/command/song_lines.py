"""What `genre predict` says of songs: for a person, as CSV, and in one sentence."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from flows.errors import joined
from genre_model.printable import printable

if TYPE_CHECKING:
    from flows.results import PredictResult
    from genre_model.hearing.prediction import Prediction

NAMED = 3
_HEAD = ("file", "genre", "", "runner-up")
_CSV = (
    *("path", "status", "genre", "probability", "sure", "runner_up", "runner_up_probability"),
    *("windows", "seconds", "passages", "detail"),
)


def table(result: PredictResult, to: TextIO) -> None:
    """Write a line a file, and what all came to."""
    rows = [_HEAD, *map(_cells, result.predictions)]
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:3]]
    for cells, each in zip(rows, (None, *result.predictions), strict=True):
        if each is not None and each.genre is None:
            said = printable(f"not read, {each.status}: {each.detail}")
            to.write(f"{cells[0]:<{widths[0]}}  {said}\n")
            continue
        head, genre, share, other = cells
        line = f"{head:<{widths[0]}}  {genre:<{widths[1]}}  {share:>{widths[2]}}  {other}"
        to.write(f"{line.rstrip()}\n")
        if each is not None and len(each.passages) > 1:
            to.write(f"    {printable(each.passages_in_words)}\n")
    to.write(f"{printable(_summary(result))}\n")
    if words := result.left_out.in_words:
        to.write(f"left out: {printable(words)}\n")
    to.write(f"model: {printable(result.model)}\n")


def _cells(each: Prediction) -> tuple[str, str, str, str]:
    name = printable(each.path)
    if each.genre is None or each.probability is None:
        return name, "", "", ""
    genre = printable(each.genre)
    other = each.runner_up
    return (
        name,
        f"not sure ({genre}?)" if each.sure is False else genre,
        f"{each.probability:.0%}",
        f"{printable(other[0])} {other[1]:.0%}" if other else "",
    )


def _summary(result: PredictResult) -> str:
    heard = [each for each in result.predictions if each.genre is not None]
    bad = [each for each in result.predictions if each.genre is None]
    unsure = sum(each.sure is False for each in heard)
    many = len(result.predictions)
    parts = [f"{many:,} {'file' if many == 1 else 'files'}, {len(heard):,} named"]
    if unsure:
        parts.append(f"of them {unsure:,} not sure")
    if result.reused:
        parts.append(f"{result.reused:,} known before")
    if bad:
        parts.append(f"{len(bad):,} not read ({reasons(bad)})")
    return ", ".join(parts)


def reasons(bad: Sequence[Prediction]) -> str:
    """Count files without a genre by their status, the most frequent first."""
    counts = Counter(str(each.status) for each in bad)
    return ", ".join(f"{count:,} {status}" for status, count in counts.most_common())


def refusal(bad: Sequence[Prediction], *, of: int) -> str:
    """Say in one sentence that files gave no genre: why, and of the first ones which."""
    named = [f"{each.path} is {each.status}: {each.detail}" for each in bad[:NAMED]]
    if of == len(bad) <= NAMED:
        return joined(named)
    more = [f"and {len(bad) - NAMED:,} more"] if len(bad) > NAMED else []
    return f"{len(bad):,} of {of:,} files give no genre ({reasons(bad)}): {joined(named + more)}"


def as_csv(predictions: Sequence[Prediction], genres: Sequence[str]) -> bytes:
    """Write a table of predictions, one column a genre behind the others.

    Returns
    -------
    bytes
        UTF-8 as RFC 4180 has it; bytes of a name that are not UTF-8 are escaped, as in JSON.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_CSV, *genres])
    for each in predictions:
        name, share = each.runner_up or ("", "")
        sure = "" if each.sure is None else str(each.sure).lower()
        fields = (each.path, each.status, each.genre, each.probability, sure, name, share)
        more = (each.windows, round(each.seconds, 3), each.passages_in_words, each.detail)
        shares = [each.probabilities.get(genre, "") for genre in genres]
        writer.writerow([*fields, *more, *shares])
    return text.getvalue().encode(errors="backslashreplace")
