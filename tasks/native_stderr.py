"""Capture what libraries in C++ write to stderr while they are imported."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def captured_native_stderr() -> Iterator[None]:
    """Capture what is written to stderr below Python, and show it only if the block fails.

    TensorFlow writes six lines about the processor, and a CUDA error on machines without a GPU,
    before any of its settings are read.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as words:
        ours = os.dup(2)
        os.dup2(words.fileno(), 2)
        try:
            yield
        except BaseException:
            words.seek(0)
            os.write(ours, words.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(ours, 2)
            os.close(ours)
