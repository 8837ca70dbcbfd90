"""Work of several threads that takes turns, piece by piece, so that a machine's moods meet all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Told = ParamSpec("Told")
Given = TypeVar("Given")


class Turns:
    """Lets one thread work at a time; each gives its turn away after a piece, in one order.

    A thread that ends, or fails, leaves the round; the others go on.

    Parameters
    ----------
    threads : int
        How many there will be; none works before all are there.
    """

    def __init__(self, threads: int) -> None:
        self._changed = threading.Condition()
        self._missing = threads
        self._round: list[int] = []

    def taken(
        self,
        work: Callable[[Callable[Told, None]], Given],
        tell: Callable[Told, None],
    ) -> Given:
        """Do work in turn with that of other threads.

        Parameters
        ----------
        work : callable
            Is given what it calls after each piece.
        tell : callable
            Is called by that, before the turn is given away.
        """
        me = threading.get_ident()
        with self._changed:
            self._round.append(me)
            self._missing -= 1
            self._changed.notify_all()
        try:
            self._wait(me)

            def on_piece(*given: Told.args, **named: Told.kwargs) -> None:
                tell(*given, **named)
                with self._changed:
                    self._round.append(self._round.pop(0))
                    self._changed.notify_all()
                self._wait(me)

            return work(on_piece)
        finally:
            with self._changed:
                self._round.remove(me)
                self._changed.notify_all()

    def _wait(self, me: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._missing and self._round[0] == me)
