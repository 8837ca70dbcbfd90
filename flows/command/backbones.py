"""What `genre backbone` does: no flow, no server; TensorFlow only where a net is converted."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TextIO

from flows.command import console, environment, progress, render
from flows.engine.progress import say
from flows.results import BackbonesResult
from storage.places.address import parse_location


def add(*, as_json: bool, name: str, store: str, file: str | None) -> None:
    """Run `genre backbone add`."""
    from storage.summary import summarise_backbone
    from tasks.backbones.adding import add_known, check_name

    environment.prepare()
    with console.result_stream() as out:
        check_name(name)
        progress.enable()
        path = None if file is None else Path(file)
        records = add_known(parse_location(store), name, file=path, say=say)
        found = tuple(map(summarise_backbone, records))
        result = BackbonesResult(store=parse_location(store).uri, backbones=found)
        _emit(result, as_json, out)


def show(*, as_json: bool, store: str) -> None:
    """Run `genre backbone list`."""
    from storage.store import Store

    with console.result_stream() as out:
        opened = Store.open(store)
        found = opened.status().backbones
        result = BackbonesResult(store=opened.uri, backbones=found)
        _emit(result, as_json, out)


def remove(*, as_json: bool, name: str, store: str) -> None:
    """Run `genre backbone remove`."""
    from storage.store import Store
    from storage.summary import summarise_backbone

    with console.result_stream() as out:
        opened = Store.open(store)
        removed = (summarise_backbone(opened.backbones.remove(name)),)
        found = tuple(map(summarise_backbone, opened.backbones.records()))
        result = BackbonesResult(store=opened.uri, backbones=found, removed=removed)
        _emit(result, as_json, out)


def _emit(result: BackbonesResult, as_json: bool, to: TextIO) -> None:
    show = partial(render.backbones, result)
    console.emit(result.to_dict(), as_json=as_json, show=show, to=to)
