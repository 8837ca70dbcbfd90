"""What each sub-command does: call one flow or read the store, then write the result."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any, TextIO

from flows import console, prefect_environment, progress, shown

Show = Callable[[dict[str, Any], TextIO], None]


def features(*, as_json: bool, **options: Any) -> None:
    """Run `genre features`."""
    prefect_environment.prepare()
    with console.result_stream() as out:
        progress.enable()
        from flows.build_features import build_features

        result = build_features(**options)
        settle()
        console.emit(result, as_json=as_json, show=lambda to: shown.features(result, to), to=out)


def settle():
    pass
