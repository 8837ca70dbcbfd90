"""What `genre models` and `genre sweep` answer, as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from flows.command import render
from genre_model.printable import printable
from genre_model.specs import policy_in_words
from genre_model.sweeping import in_words

if TYPE_CHECKING:
    from flows.model_results import ComparedResult, ModelsResult, PromotedResult, SweepResult
    from tasks.comparing.leaderboard import ModelLine
    from tasks.sweeping import SweptRecipe

_HEAD = ("", "model", "preset", "parameters", "validation", "test", "read", "trained")
_CATALOGUE = "catalogue"


def models(result: ModelsResult, to: TextIO) -> None:
    """Write a line a model, the best on validation first, and one a recipe of several seeds."""
    every = result.board.models
    lines = [_HEAD, *(_cells(each) for each in every)]
    # of one catalogue the column would say the same in each line
    if len({each.catalogue for each in every}) > 1:
        catalogues = (_CATALOGUE, *(printable(each.catalogue) for each in every))
        lines = [(*line, name) for line, name in zip(lines, catalogues, strict=True)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        to.write(f"{'  '.join(cells).rstrip()}\n")
    for each in result.board.recipes:
        to.write(f"{printable(each.in_words)}\n")
    if not result.board.models:
        to.write(f"{printable(f'no model in {result.store}; run `genre train` first')}\n")
    else:
        to.write("* is the champion; sorted by validation, of which test tracks are no part\n")


def promoted(result: PromotedResult, to: TextIO) -> None:
    """Write who is the champion now, and how to go back."""
    to.write(f"{printable(f'champion    {result.champion}')}\n")
    if result.former not in (None, result.champion):
        back = f"before      {result.former} (back: genre models promote {result.former})"
        to.write(f"{printable(back)}\n")
    for model, since in result.history:
        to.write(f"{printable(f'since       {since}  {model}')}\n")


def compared(result: ComparedResult, to: TextIO) -> None:
    """Write the figures of both models, and what the difference rests on."""
    found = result.comparison
    to.write(f"{printable(f'{result.model} against {found.model}, {result.split} split')}\n")
    lines = [(each.title, *each.texts) for each in found.figures]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        title, *figures = (f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True))
        to.write(f"{printable('  '.join((title, *figures)).rstrip())}\n")
    for sentence in found.sentences:
        to.write(f"{printable(sentence)}\n")


def swept(result: SweepResult, to: TextIO) -> None:
    """Write a line a combination of settings, the best on validation first, and the best model."""
    sweep, best = result.sweep, result.sweep.best
    to.write(f"{printable(f'{sweep.id}: {sweep.progress}, {result.reused:,} found')}\n")
    head = ("validation", "done", "settings")
    lines = [head, *(_of_recipe(each) for each in sweep.recipes)]
    widths = [max(len(line[place]) for line in lines) for place in range(2)]
    for first, second, third in lines:
        to.write(f"{first:<{widths[0]}}  {second:<{widths[1]}}  {third}\n")
    for each in sweep.trainings:
        if each.status == "failed":
            to.write(f"{printable(f'failed      {each.model}: {each.detail}')}\n")
    if best is not None:
        said = (
            f"best        {best.model}: {best.validation} of validation "
            f"tracks ({in_words(best.settings)}, seed {best.seed})"
        )
        to.write(f"{printable(said)}\n")
    if result.evaluation is not None:
        to.write("\n")
        render.evaluation(result.evaluation, to)
    to.write("chosen on validation, of which test tracks are no part\n")


def _of_recipe(each: SweptRecipe) -> tuple[str, str, str]:
    return (
        each.validation or "-",
        f"{len(each.models)} of {each.trainings}",
        printable(in_words(each.settings)),
    )


def _cells(each: ModelLine) -> tuple[str, ...]:
    test = "not evaluated"
    if each.test_track_accuracy is not None:
        test = f"{each.test_track_accuracy:.1%}"
    if each.test_interval is not None:
        test += " ({:.0%}–{:.0%})".format(*each.test_interval)
    name = each.model + (
        "" if each.split_policy == "official" else f" ({policy_in_words(each.split_policy)})"
    )
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
    return tuple(map(printable, cells))
