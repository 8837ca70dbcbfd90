"""Calls on the workers of a Dask cluster, and what these must see for them."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

from flows.engine.cluster import dask_crew
from flows.engine.crew.requirements import sees
from flows.engine.hearing.at_once import as_they_end
from genre_model.learning.opening.params import PARAMS_FILE
from tasks.worker.pickled_call import PickledCall

MOST_LOOKED_AT = 20
"""Folders of songs that the workers of a joined cluster are asked about before they get work."""
_CALLS_A_WORKER = 2


def called_on_dask(
    calls: Iterable[PickledCall],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    must_see: Iterable[Path] = (),
    say: Callable[[str], None] | None = None,
) -> Generator[Any, None, None]:
    """Make calls, each of which gives a list, and yield its elements as soon as they are known.

    Parameters
    ----------
    calls : iterable of PickledCall
    workers, scheduler, say
        As for `dask_crew`.
    must_see : iterable of Path
        Files without which a worker gets no call.

    Raises
    ------
    ClusterLost
        If no worker starts, or all have gone.
    UsageError
        If nothing answers at `scheduler`, or no worker there can do it.
    """
    run = uuid.uuid4().hex[:8]
    with ExitStack() as after, dask_crew(workers=workers, scheduler=scheduler, say=say) as crew:
        for file in must_see:
            crew.require(sees(file, below=str(file.parent)))
        at_once = _CALLS_A_WORKER * (workers or crew.size)
        # after the crew, whose end is that of the calls under way
        threads = after.enter_context(ThreadPoolExecutor(at_once, "songs"))
        numbered = (
            partial(crew.call, call, f"hear-{run}-{number}") for number, call in enumerate(calls)
        )
        with closing(as_they_end(threads, numbered, at_once=at_once)) as lists:
            for found in lists:
                yield from found


def samples(model: Path, songs: Iterable[Path | None]) -> Iterator[Path]:
    """Give files of this machine that another one must see: a model, and one song of each folder.

    Parameters
    ----------
    model : Path
        Its folder.
    songs : iterable of Path, optional
        None for one that lies elsewhere.
    """
    yield model.absolute() / PARAMS_FILE
    # a name may be no path at all, of which Path.is_file raises
    there = (path for path in songs if path is not None and os.path.isfile(path))  # noqa: PTH113
    by_folder = {path.parent: path for path in there}
    yield from itertools.islice(by_folder.values(), MOST_LOOKED_AT)
