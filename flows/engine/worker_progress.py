"""What workers report of their parts, added up and shown: on the terminal and in the dashboard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from distributed import Client

from flows.dashboard import artifacts
from flows.engine import progress
from tasks.worker.topics import heard


@contextmanager
def followed(
    client: Client,
    topic: str,
    *,
    stage: str,
    total: int,
    unit: str,
    what: str,
    key: str,
    unit_size: int = 1,
) -> Iterator[Callable[[int, int], None]]:
    """Show progress as workers report it; yield what takes note of how much of a part is done.

    Parameters
    ----------
    client : Client
    topic : str
        That `tasks.worker.reporting.reporter` sends to.
    stage, unit : str
        For the terminal.
    total : int
        Of all parts.
    what, key : str
        For the progress artifact.
    unit_size : int
        How much of the total is one `unit`.
    """
    done: dict[int, int] = {}
    so_far = 0
    one_at_a_time = threading.Lock()
    with ExitStack() as stack:
        show = stack.enter_context(progress.stage(stage, total=-(-total // unit_size), unit=unit))
        bar = stack.enter_context(artifacts.ProgressArtifact(total=total, what=what, key=key))

        def note(part: int, now_done: int) -> None:
            nonlocal so_far
            with one_at_a_time:
                so_far += max(0, now_done - done.get(part, 0))
                done[part] = max(now_done, done.get(part, 0))
                show(so_far // unit_size, "")
                bar.show(so_far)

        with heard(client, topic, lambda event: note(event[1]["part"], event[1]["done"])):
            yield note
