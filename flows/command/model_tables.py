"""What `genre models` answers, as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from genre_model.shown import shown

if TYPE_CHECKING:
    from flows.model_results import ComparedResult, ModelsResult, PromotedResult
    from tasks.comparing.leaderboard import ModelLine

_HEAD = ("", "model", "preset", "parameters", "validation", "test", "read", "trained")


def models(result: ModelsResult, to: TextIO) -> None:
    """Write a line a model, the best on validation first, and one a recipe of several seeds."""
    lines = [_HEAD, *(_cells(each) for each in result.board.models)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(_HEAD))]
    for line in lines:
        cells = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        to.write(f"{'  '.join(cells).rstrip()}\n")
    for each in result.board.recipes:
        said = (
            f"{len(each.models)} seeds of {each.network} on {each.preset}: "
            f"{each.validation_mean:.1%} ± {each.validation_spread:.1%} of validation tracks "
            f"({', '.join(each.models)})"
        )
        to.write(f"{shown(said)}\n")
    if not result.board.models:
        to.write(f"{shown(f'no model in {result.store}; run `genre train` first')}\n")
    else:
        to.write("* is the champion; sorted by validation, of which test tracks are no part\n")


def promoted(result: PromotedResult, to: TextIO) -> None:
    """Write who is the champion now, and how to go back."""
    to.write(f"{shown(f'champion    {result.champion}')}\n")
    if result.former not in (None, result.champion):
        back = f"before      {result.former} (back: genre models promote {result.former})"
        to.write(f"{shown(back)}\n")
    for model, since in result.history:
        to.write(f"{shown(f'since       {since}  {model}')}\n")


def compared(result: ComparedResult, to: TextIO) -> None:
    """Write the figures of both models, and what the difference rests on."""
    found = result.comparison
    to.write(f"{shown(f'{result.model} against {found.model}, {result.split} split')}\n")
    for each in found.figures:
        line = (
            f"{each.name:<16} {each.this:>7.1%} {each.other:>7.1%} {100 * each.gain:+6.1f} points"
        )
        to.write(f"{shown(line)}\n")
    for sentence in found.sentences:
        to.write(f"{shown(sentence)}\n")


def _cells(each: ModelLine) -> tuple[str, ...]:
    test = "not evaluated"
    if each.test_track_accuracy is not None:
        test = f"{each.test_track_accuracy:.1%}"
    if each.test_interval is not None:
        test += " ({:.0%}–{:.0%})".format(*each.test_interval)
    name = each.model + ("" if each.split_policy == "official" else f" ({each.split_policy})")
    cells = (
        "*" if each.champion else " ",
        name,
        each.preset,
        f"{each.parameters:,}",
        f"{each.validation_track_accuracy:.1%}",
        test,
        f"{each.test_readings}x",
        each.trained[:16],
    )
    return tuple(map(shown, cells))
