"""Sentences of threads that know no run, told on the terminal and on the page of the run."""

from __future__ import annotations

import contextvars
from collections.abc import Callable

from flows.engine import progress

_shown: set[str] = set()


def show_once(sentence: str) -> None:
    """Show a sentence, unless this process has shown it: a cluster is looked at more than once."""
    if sentence not in _shown:
        _shown.add(sentence)
        progress.show_line(sentence)


def teller() -> Callable[[str], None]:
    """Return what tells a sentence in any thread: shown once, and logged in the run that asks."""
    logger = progress.run_logger()
    here = contextvars.copy_context()

    def tell(sentence: str) -> None:
        show_once(sentence)
        if logger is not None:
            here.copy().run(logger.warning, sentence)

    return tell
