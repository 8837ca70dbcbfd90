"""What flows say of how far they are: on a display, if one has been installed, and in their log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import logging

Show = Callable[[int, str], None]
"""Called with how much is done, and a short note."""


class Display(Protocol):
    """Where progress is shown."""

    def stage(self, name: str, *, total: int, unit: str) -> AbstractContextManager[Show]:
        """Show a stage while the context lasts; `total` is not 0."""

    def say(self, sentence: str) -> None:
        """Show one line."""


class Silent:
    """Shows nothing, as in a worker, whose runs have a dashboard."""

    @contextmanager
    def stage(self, name: str, *, total: int, unit: str) -> Iterator[Show]:  # noqa: ARG002
        """Show nothing of a stage."""
        yield lambda _done, _note: None

    def say(self, sentence: str) -> None:
        """Say nothing."""


_display: Display = Silent()


def install(display: Display) -> None:
    """Show progress on `display` from now on."""
    global _display
    _display = display


@contextmanager
def stage(name: str, *, total: int, unit: str) -> Iterator[Show]:
    """Yield a function that shows how far a stage is.

    Parameters
    ----------
    name : str
        The stage, as `features`.
    total : int
        What `done` ends at; with 0 nothing is shown.
    unit : str
        What is counted, as `tracks`.
    """
    display = _display if total else Silent()
    with display.stage(name, total=total, unit=unit) as show:
        yield show


def say(sentence: str) -> None:
    """Show one line, as when a run waits for another one; the run that calls logs it, too."""
    show_line(sentence)
    logger = run_logger()
    if logger is not None:
        logger.info(sentence)


def run_logger() -> logging.Logger | logging.LoggerAdapter[logging.Logger] | None:
    """Return the logger of the run that calls; None outside of one."""
    # whoever has no Prefect is in no run, and need not import it
    if "prefect" not in sys.modules:
        return None
    from prefect import get_run_logger
    from prefect.exceptions import MissingContextError

    try:
        return get_run_logger()
    except MissingContextError:
        return None


def show_line(sentence: str) -> None:
    """Show one line, and log nothing."""
    _display.say(sentence)
