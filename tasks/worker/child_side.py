"""The other side of a `tasks.worker.child.Child`: how its process begins, and ends with its parent.

Imports nothing heavy.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

READY = b"ready"
"""What a child says when it has started; anything else is why it cannot work."""


def run(serve: Callable[[Connection], None]) -> None:
    """Serve the parent until it closes the connection, whose number is this process's argument."""
    # Ctrl-C goes to the whole terminal group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=[os.getppid()], daemon=True).start()
    serve(Connection(int(sys.argv[1])))


def _end_with_parent(parent: int) -> None:
    """End this process when the one that started it is gone.

    The closed connection ends it too, but only between clips: a decoder that hangs would outlive a
    killed worker.
    """
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
