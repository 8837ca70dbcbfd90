"""The process in which audio is decoded, so that a crash or a hang of the decoder costs one track.

Started by `tasks.worker.decoder.Decoder` as ``python -m tasks.worker.decoder_child FD``, where FD
is one end of a socket pair. It receives a pickled `Extractor`, then audio (bytes, or the
path of a large file), and answers each with a `Header` and, if the clip is kept, with its windows
as raw float16.
"""

from __future__ import annotations

import os
import pickle
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from genre_model.errors import ModelError
from genre_model.frontends.clip import ClipWindows
from genre_model.frontends.frontend import Extractor
from genre_model.signal.status import Status
from tasks.worker import child_side


def serve(connection: Connection) -> None:
    """Answer every clip that comes through `connection` until it is closed.

    Parameters
    ----------
    connection : Connection
        The other end belongs to a `tasks.worker.decoder.Decoder`.
    """
    extractor: Extractor = pickle.loads(connection.recv_bytes())
    try:
        extractor.prepare()
    except ModelError as error:
        connection.send_bytes(str(error).encode(errors="replace"))
        return
    connection.send_bytes(child_side.READY)
    while True:
        try:
            kind, payload = connection.recv_bytes(), connection.recv_bytes()
        except EOFError:
            return
        source = Path(os.fsdecode(payload)) if kind == b"path" else payload
        try:
            clip = extractor.windows(source)
        except ModelError as error:  # a net fails on this clip, and may not on the next one
            clip = ClipWindows(Status.CRASHED, str(error), None, 0.0)
        count = 0 if clip.windows is None else len(clip.windows)
        connection.send((str(clip.status), clip.detail, count, clip.seconds, clip.sound))
        if clip.windows is not None:
            connection.send_bytes(np.ascontiguousarray(clip.windows).data.cast("B"))


if __name__ == "__main__":
    child_side.run(serve)
