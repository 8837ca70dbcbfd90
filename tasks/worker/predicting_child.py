"""The process in which a model hears files, so that a crash or a hang costs one of them.

Started by `tasks.worker.predicting.PredictingChild` as ``python -m tasks.worker.predicting_child
FD``. It receives the model's folder, then (path, whether its picture is wanted), and answers each
with a `Prediction`, or with the error of a model that does not work.
"""

from __future__ import annotations

import pickle
from multiprocessing.connection import Connection

from genre_model.errors import ModelError
from genre_model.predict import load_model
from tasks.worker import child_side


def serve(connection: Connection) -> None:
    """Answer every file that is named through `connection` until it is closed.

    Parameters
    ----------
    connection : Connection
        The other end belongs to a `tasks.worker.predicting.PredictingChild`.
    """
    folder = pickle.loads(connection.recv_bytes())
    try:
        predictor = load_model(folder)
    except ModelError as error:
        connection.send_bytes(str(error).encode(errors="replace"))
        return
    connection.send_bytes(child_side.READY)
    while True:
        try:
            path, overview = connection.recv()
        except EOFError:
            return
        try:
            connection.send(predictor.predict(path, overview=overview))
        except ModelError as error:
            connection.send(error)


if __name__ == "__main__":
    child_side.run(serve)
