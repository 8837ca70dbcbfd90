"""The process in which a model hears files, so that a crash or a hang costs one of them.

Started by `tasks.worker.predicting.PredictingChild` as ``python -m tasks.worker.predicting_child
FD``. It receives the model's folder, then (path, whether its picture is wanted) or (path, number of
the track that is to be heard disturbed), and answers each with a `Prediction` or with probabilities
by disturbance.
"""

from __future__ import annotations

import pickle
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from genre_model.errors import ModelError
from genre_model.hearing.prediction import Prediction
from genre_model.predict import Predictor, load_model
from genre_model.signal.status import ClipDefect, Status
from tasks.worker import child_side

if TYPE_CHECKING:
    import numpy as np


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
        predictor.extractor.prepare()
    except ModelError as error:
        connection.send_bytes(str(error).encode(errors="replace"))
        return
    connection.send_bytes(child_side.READY)
    while True:
        try:
            path, how = connection.recv()
        except EOFError:
            return
        try:
            if isinstance(how, bool):
                connection.send(predictor.predict(path, overview=how))
            else:
                connection.send(_disturbed(predictor, path, how))
        except ModelError as error:  # it fails on this file, and may not on the next one
            connection.send(Prediction(path, Status.CRASHED, str(error)))


def _disturbed(predictor: Predictor, path: str, seed: int) -> dict[str, np.ndarray] | Prediction:
    from genre_model.disturbing.listener import DisturbedListener

    try:
        return DisturbedListener(predictor).probabilities(path, seed=seed)
    except ClipDefect as defect:
        return Prediction(path, defect.status, defect.detail)


if __name__ == "__main__":
    child_side.run(serve)
