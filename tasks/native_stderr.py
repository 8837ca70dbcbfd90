"""Capture what libraries in C and C++ write to stderr below Python."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

Say = Callable[[str], None]
_NAMES = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
"""Of Keras's backends."""


@contextmanager
def captured_native_stderr(say: Say | None = None) -> Iterator[None]:
    """Capture what is written to stderr below Python, and show it only if the block fails.

    Parameters
    ----------
    say : callable, optional
        Told what is waited for, unless Keras's backend is imported already.

    Notes
    -----
    TensorFlow writes six lines about the processor, and a CUDA error on machines without a GPU,
    before any of its settings are read.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if say is not None and backend not in sys.modules:
        say(f"loading {_NAMES.get(backend, backend)}, which takes a while")
    with tempfile.TemporaryFile() as words:
        try:
            with _into(words):
                yield
        except BaseException:
            words.seek(0)
            os.write(2, words.read())
            raise


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
