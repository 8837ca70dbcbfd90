"""What `genre serve` does: choose the model, say where the page is, serve until Ctrl-C."""

from __future__ import annotations

import os
import secrets
import socket
from functools import partial

from flows.command import console, environment, progress, render
from flows.engine.progress import say
from flows.errors import UsageError
from flows.prediction_results import ServeResult
from flows.serving.served import LOOPBACK, Served
from tasks.predicting.chosen import ChosenModel

TOKEN = "GENRE_TOKEN"
LEAST_TOKEN = 16
_MOST_WORKERS = 4


def serve(
    *,
    as_json: bool,
    store: str,
    model: str | None,
    host: str,
    port: int,
    workers: int | None,
    queue: int,
    max_mb: int,
    max_seconds: int,
) -> None:
    """Run `genre serve`; Ctrl-C is the way to end it."""
    environment.prepare()
    from flows.serving import running

    with console.result_stream() as out:
        progress.enable()
        chosen = ChosenModel.of(store, model)
        token, is_made = _token(host)
        served = Served(
            chosen=chosen,
            judged=chosen.judged(store),
            workers=workers or min(os.cpu_count() or 1, _MOST_WORKERS),
            queue=queue,
            max_mb=max_mb,
            max_seconds=max_seconds,
            token=token,
        )
        with running.listening(host, port) as at:
            page = _page(host, at)
            result = ServeResult(
                page=page,
                model=chosen.name,
                workers=served.workers,
                token=token if is_made else None,
            )

            def ready() -> None:
                if token is not None:
                    say("what is sent goes over the network in plain HTTP, the token too")
                show = partial(render.serving, result)
                console.emit(result.to_dict(), as_json=as_json, show=show, to=out)

            try:
                running.serve(served, at, ready=ready)
            except console.Terminated:
                raise
            except KeyboardInterrupt:
                return  # the way to end it


def _token(host: str) -> tuple[str | None, bool]:
    """Return the token that is needed, and whether it was made here; none on the loopback."""
    if host in LOOPBACK:
        return None, False
    given = os.environ.get(TOKEN, "")
    if not given:
        return secrets.token_urlsafe(24), True
    if len(given) < LEAST_TOKEN or not given.isascii() or not given.isprintable() or " " in given:
        raise UsageError(
            f"{TOKEN} has {len(given)} characters; give at least {LEAST_TOKEN} letters, digits and "
            "signs without a space, or unset it to have one made"
        )
    return given, False


def _page(host: str, at: socket.socket) -> str:
    port = at.getsockname()[1]
    anywhere = host in ("0.0.0.0", "::")
    name = socket.gethostname() if anywhere else host
    return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"
