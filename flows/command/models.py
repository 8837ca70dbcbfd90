"""What `genre models` does: no flow, no server, no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO, TypeVar

from flows.command import console, environment, model_tables
from flows.model_results import ComparedResult, ModelsResult, PromotedResult

Shown = TypeVar("Shown", ModelsResult, PromotedResult, ComparedResult)


def show(*, as_json: bool, store: str) -> None:
    """Run `genre models`."""
    from storage.store import Store
    from tasks.comparing.leaderboard import leaderboard

    environment.prepare()
    with console.result_stream() as out:
        kept = Store.open(store)
        result = ModelsResult(store=kept.uri, board=leaderboard(kept.models))
        _emit(result, model_tables.models, as_json, out)


def promote(*, as_json: bool, store: str, model: str) -> None:
    """Run `genre models promote`."""
    from storage.store import Store
    from tasks.comparing import choosing

    environment.prepare()
    with console.result_stream() as out:
        models = Store.open(store).models
        former = choosing.promote(models, model)
        history = tuple((each.model, each.since) for each in models.reigns())
        result = PromotedResult(champion=model, former=former, history=history)
        _emit(result, model_tables.promoted, as_json, out)


def compare(*, as_json: bool, store: str, one: str, other: str, split: str) -> None:
    """Run `genre models compare`."""
    from storage.store import Store
    from tasks.comparing.choosing import compare_models

    environment.prepare()
    with console.result_stream() as out:
        found = compare_models(Store.open(store), one, other, split=split)
        result = ComparedResult(model=one, split=split, comparison=found)
        _emit(result, model_tables.compared, as_json, out)


def _emit(result: Shown, show: Callable[[Shown, TextIO], None], as_json: bool, to: TextIO) -> None:
    console.emit(result.to_dict(), as_json=as_json, show=lambda out: show(result, out), to=to)
