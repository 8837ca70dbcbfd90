"""Capture what libraries in C and C++ write to stderr below Python."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from genre_model.shown import shown

_log = logging.getLogger(__name__)

Say = Callable[[str], None]


@contextmanager
def captured_native_stderr(say: Say | None = None) -> Iterator[None]:
    """Capture what is written to stderr below Python, and show it only if the block fails.

    Parameters
    ----------
    say : callable, optional
        Told what is waited for, unless TensorFlow is imported already.

    Notes
    -----
    TensorFlow writes six lines about the processor, and a CUDA error on machines without a GPU,
    before any of its settings are read.
    """
    if say is not None and "tensorflow" not in sys.modules:
        say("loading TensorFlow, which takes a while")
    with tempfile.TemporaryFile() as words:
        try:
            with _into(words):
                yield
        except BaseException:
            words.seek(0)
            os.write(2, words.read())
            raise


@contextmanager
def native_words(about: str) -> Iterator[None]:
    """Log what is written to stderr below Python, each line once and with what it is about.

    mpg123, which decodes MP3s, writes what it thinks of a damaged frame, and of which file it
    speaks it does not know.

    Parameters
    ----------
    about : str
        The file's name.
    """
    with tempfile.TemporaryFile() as words:
        try:
            with _into(words):
                yield
        finally:
            words.seek(0)
            for line in dict.fromkeys(words.read().decode(errors="replace").splitlines()):
                if line.strip():
                    _log.info("%s: %s", shown(about), shown(line.strip()))


@contextmanager
def _into(words: IO[bytes]) -> Iterator[None]:
    sys.stderr.flush()
    ours = os.dup(2)
    os.dup2(words.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(ours, 2)
        os.close(ours)
