"""The border to the terminal: streams, exit statuses, one sentence an error."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TextIO, TypeGuard

if TYPE_CHECKING:
    import click

from flows.engine.interrupts import causes, is_prefects_sigterm
from genre_model.printable import printable_lines

_NO_SPACE = ("No space left on device", "No usable temporary directory found")
"""What TensorFlow and Python's tempfile say in errors of other kinds."""
EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED, EXIT_TERMINATED = 1, 2, 130, 143


class Terminated(KeyboardInterrupt):
    """SIGTERM: what ends cleanly on Ctrl-C does so on this too."""


@contextlib.contextmanager
def result_stream() -> Iterator[TextIO]:
    """Yield the real stdout, while everything else that is written to stdout goes to stderr.

    Libraries print; stdout is the result and nothing else, so the swap is made on the file
    descriptor, where libraries in C are caught too.
    """
    sys.stdout.flush()
    try:
        ours = os.dup(1)
    except OSError:  # no stdout at all, as under some supervisors
        yield sys.stdout
        return
    os.dup2(2, 1)
    # a byte of a name that is not UTF-8 becomes \udce9, which JSON reads back as it was given
    stream = os.fdopen(ours, "w", encoding="utf-8", errors="backslashreplace")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield stream
    finally:
        stream.flush()
        os.dup2(ours, 1)
        stream.close()


def emit(
    result: Mapping[str, object], *, as_json: bool, show: Callable[[TextIO], None], to: TextIO
) -> None:
    """Write one result: a JSON object, or what `show` makes of it for a person.

    Parameters
    ----------
    result : Mapping
        JSON-able; names of files are in it as they were given, whatever bytes they have.
    as_json : bool
        Whether the JSON object is asked for.
    show : callable
        Writes the person's form to the stream it is given; control characters in it are escaped.
    to : TextIO
        The stream of `result_stream`.
    """
    if as_json:
        to.write(json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        text = io.StringIO()
        show(text)
        to.write(printable_lines(text.getvalue()))
    to.flush()


def run(command: Callable[[], None]) -> int:
    """Call `command` and turn how it ends into an exit status, with one sentence for each error.

    Parameters
    ----------
    command : callable
        Does everything; returns when it is done.

    Returns
    -------
    int
        0 done, 1 failed, 2 what was given must change, 130 interrupted, 143 terminated.
    """
    _quick_interrupts()
    try:
        command()
    except KeyboardInterrupt as interruption:
        return _interrupted(interruption)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else EXIT_FAILED
    except BrokenPipeError:
        # The reader of stdout has gone, as in `genre status | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except BaseException as error:
        if (signalled := _behind(error)) is not None:
            return _interrupted(signalled)
        if isinstance(error, Exception):  # the last border: every error gets its status here
            return _explain(error)
        raise
    return 0


def _behind(error: BaseException) -> KeyboardInterrupt | None:
    """Return the interruption that an error came of, if any; see `is_interruption`."""
    for one in causes(error):
        if isinstance(one, KeyboardInterrupt):
            return one
        if is_prefects_sigterm(one):  # while a flow runs, the handler is Prefect's
            return Terminated()
    return None


def _explain(error: Exception) -> int:
    import click

    from flows.errors import FlowError
    from storage.errors import StorageError
    from tasks.worker.errors import WorkerError

    if isinstance(error, click.Abort):  # what click makes of Ctrl-C
        return _interrupted(error.__cause__)
    if isinstance(error, click.ClickException):
        _say(_wrong_usage(error))
        return EXIT_USAGE
    said = str(error) if _remedied_by_user(error) else _without_space(error)
    if said is not None:
        _say(said)
        return EXIT_USAGE
    if not isinstance(error, StorageError | FlowError | WorkerError):
        sys.stderr.write(printable_lines("".join(traceback.format_exception(error))))
    _say(f"failed: {type(error).__name__}: {error}")
    return EXIT_FAILED


def _wrong_usage(error: click.ClickException) -> str:
    """Say click's three lines in one sentence."""
    import click

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        sys.stderr.write(f"{error.format_message()}\n\n")
        return "no command is named; name one, as `genre run`"
    if isinstance(error, click.BadParameter) and _is_chosen_argument(error.param):
        error.param_hint = f"'{str(error.param.name).upper()}'"  # not all its choices
    said = " ".join(error.format_message().split())
    said = re.sub(r"\. \(?(Choose from|Did you mean)", lambda m: f"; {m[1].lower()}", said)
    said = said.rstrip(".?)") if "; did you mean" in said else said.rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "genre"
    return f"{said[:1].lower()}{said[1:]}; `{command} --help` tells what there is"


def _is_chosen_argument(parameter: click.Parameter | None) -> TypeGuard[click.Argument]:
    import click

    return isinstance(parameter, click.Argument) and isinstance(parameter.type, click.Choice)


def _interrupted(by: BaseException | None) -> int:
    is_terminated = isinstance(by, Terminated)
    word = "terminated" if is_terminated else "interrupted"
    _say(f"{word}; the same command goes on where it stopped")
    return EXIT_TERMINATED if is_terminated else EXIT_INTERRUPTED


def _remedied_by_user(error: BaseException) -> bool:
    from flows.errors import UsageError
    from genre_model.errors import GenreModelError
    from storage.errors import StorageError
    from tasks.worker.errors import WorkerError

    if isinstance(error, StorageError | WorkerError):
        return error.remedied_by_user
    prefect = sys.modules.get("prefect.exceptions")  # a flow's parameters have bounds of their own
    if prefect is not None and isinstance(error, prefect.ParameterTypeError):
        return True
    return isinstance(error, UsageError | GenreModelError)


def _without_space(error: BaseException) -> str | None:
    """Say that a disk is full, if an error came of that."""
    for one in causes(error):
        if _remedied_by_user(one):
            return str(one)
        is_full = isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT)
        if is_full or any(words in str(one) for words in _NO_SPACE):
            named = getattr(one, "filename", None)
            where = f"for {named}" if named else "on a disk that is written to"
            return (
                f"no space is left {where}; free some there, or where temporary files lie "
                "(TMPDIR), and run the same command again"
            )
    return None


def _say(sentence: str) -> None:
    sys.stderr.write(f"genre: {printable_lines(' '.join(sentence.split()))}\n")


def _quick_interrupts() -> None:
    """End on SIGTERM as on Ctrl-C: cleanly, resumable."""

    def terminate(*_: object) -> None:
        raise Terminated

    with contextlib.suppress(ValueError):  # only the main thread may set it
        signal.signal(signal.SIGTERM, terminate)
