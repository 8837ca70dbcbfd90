"""What `genre backbone` does: no flow, no server; TensorFlow only where a net is converted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TextIO

from flows.command import console, environment, progress, render
from flows.engine.progress import say
from flows.errors import UsageError
from flows.results import BackbonesResult
from storage.places.address import parse_location


def add(
    *,
    as_json: bool,
    name: str,
    store: str,
    file: str | None,
    onnx: str | None,
    frontend: str | None,
    output: str | None,
    licence: str | None,
) -> None:
    """Run `genre backbone add`."""
    from storage.summary import summarise_backbone
    from tasks.backbones.adding import add_known, check_name
    from tasks.backbones.given import add_given

    environment.prepare()
    said = {"--frontend": frontend, "--output": output, "--licence": licence}
    with console.result_stream() as out:
        address = parse_location(store)
        if onnx is None:
            _refuse([flag for flag, value in said.items() if value is not None])
            check_name(name)
            progress.enable()
            path = None if file is None else Path(file)
            records = add_known(address, name, file=path, say=say)
        else:
            if file is not None:
                raise UsageError("--from is of known backbones; with --onnx leave it out")
            given = _all_said(said)
            records = [add_given(address, name, file=Path(onnx), **given)]
        found = tuple(map(summarise_backbone, records))
        result = BackbonesResult(store=address.uri, backbones=found)
        _emit(result, as_json, out)


def _refuse(flags: list[str]) -> None:
    if flags:
        raise UsageError(f"{' and '.join(flags)} cannot be said without --onnx FILE; give both")


def _all_said(said: Mapping[str, str | None]) -> dict[str, str]:
    missing = [flag for flag, value in said.items() if not value]
    if missing:
        raise UsageError(f"--onnx needs {' and '.join(missing)}, too; say what the file is")
    return {flag.removeprefix("--"): value for flag, value in said.items() if value}


def show(*, as_json: bool, store: str) -> None:
    """Run `genre backbone list`."""
    from storage.store import Store
    from storage.summary import Reader

    with console.result_stream() as out:
        opened = Store.open(store)
        found = Reader().backbones(opened.backbones)
        result = BackbonesResult(store=opened.uri, backbones=found)
        _emit(result, as_json, out)


def remove(*, as_json: bool, name: str, store: str) -> None:
    """Run `genre backbone remove`."""
    from storage.store import Store
    from storage.summary import summarise_backbone

    with console.result_stream() as out:
        progress.enable()
        opened = Store.open(store)
        records, left = opened.backbones.remove(name)
        for each in left:
            say(f"removed {each}, which was no whole backbone")
        removed = tuple(map(summarise_backbone, records))
        found = tuple(map(summarise_backbone, opened.backbones.records()))
        result = BackbonesResult(store=opened.uri, backbones=found, removed=removed)
        _emit(result, as_json, out)


def _emit(result: BackbonesResult, as_json: bool, to: TextIO) -> None:
    show = partial(render.backbones, result)
    console.emit(result.to_dict(), as_json=as_json, show=show, to=to)
