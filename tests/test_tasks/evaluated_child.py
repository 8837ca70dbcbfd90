"""Stands in for `tasks.worker.predicting_child`: what it is sent as a path is evaluated there."""

from __future__ import annotations

from multiprocessing.connection import Connection

from genre_model.hearing.prediction import Prediction
from genre_model.signal.status import Status
from tasks.worker import child_side


def serve(connection: Connection) -> None:
    connection.recv_bytes()
    connection.send_bytes(child_side.READY)
    while True:
        try:
            path, _overview = connection.recv()
        except EOFError:
            return
        said = eval(path.rpartition("/")[2])
        connection.send(Prediction(path, Status.OK, str(said), "Rock", 1.0))


if __name__ == "__main__":
    child_side.run(serve)
