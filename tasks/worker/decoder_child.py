"""The process in which audio is decoded, so that a crash or a hang of the decoder costs one track.

Started by `tasks.worker.decoder.Decoder` as ``python -m tasks.worker.decoder_child FD``, where FD
is one end of a socket pair. It receives a pickled `Extractor`, then audio (bytes, or the
path of a large file), and answers each with a `Header` and, if the clip is kept, with its windows
as raw float16.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from genre_model.frontends.frontend import Extractor


def serve(connection: Connection) -> None:
    """Answer every clip that comes through `connection` until it is closed.

    Parameters
    ----------
    connection : Connection
        The other end belongs to a `tasks.worker.decoder.Decoder`.
    """
    extractor: Extractor = pickle.loads(connection.recv_bytes())
    connection.send_bytes(b"ready")
    while True:
        try:
            kind, payload = connection.recv_bytes(), connection.recv_bytes()
        except EOFError:
            return
        source = Path(os.fsdecode(payload)) if kind == b"path" else payload
        clip = extractor.windows(source)
        count = 0 if clip.windows is None else len(clip.windows)
        connection.send((str(clip.status), clip.detail, count, clip.seconds))
        if clip.windows is not None:
            connection.send_bytes(np.ascontiguousarray(clip.windows).data.cast("B"))


def _end_with_parent(parent: int) -> None:
    """End this process when the worker that started it is gone.

    The closed connection ends it too, but only between clips: a decoder that hangs would outlive a
    killed worker.
    """
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


if __name__ == "__main__":
    # Ctrl-C goes to the whole terminal group; the worker decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=[os.getppid()], daemon=True).start()
    serve(Connection(int(sys.argv[1])))
