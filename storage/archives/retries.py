"""How long to wait between tries, and when to give up: only tries that gained nothing count."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from storage.errors import Unreachable

Result = TypeVar("Result")

LONGEST_ASKED_S = 300.0
"""Longest wait that a server is granted which asks for one [s]."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """The limits of trying again.

    Attributes
    ----------
    tries : int
        Tries in a row that gained nothing, after which the fault is raised.
    first_s, longest_s : float
        Wait before the second of them [s], doubled for each further one up to the longest; between
        half of it and all of it is waited, so that many clients do not come back at once.
    """

    tries: int = 8
    first_s: float = 0.5
    longest_s: float = 30.0

    def wait_s(self, fruitless: int, *, draw: random.Random) -> float:
        """Return how long to wait after so many tries in a row that gained nothing [s]."""
        longest = min(self.longest_s, self.first_s * 2.0 ** max(0, fruitless - 1))
        return longest * draw.uniform(0.5, 1.0)


@dataclass(kw_only=True)
class Tries:
    """The tries of one piece of work.

    Parameters
    ----------
    patience : Patience
    """

    patience: Patience
    fruitless: int = 0
    draw: random.Random = field(default_factory=random.SystemRandom)

    def failed(self, fault: Unreachable, *, gained: bool) -> None:
        """Take note of a fault and wait; raise it if patience is at its end.

        Parameters
        ----------
        fault : Unreachable
        gained : bool
            Whether the try brought anything that stays; then counting begins anew.

        Raises
        ------
        Unreachable
        """
        self.fruitless = 0 if gained else self.fruitless + 1
        if self.fruitless >= self.patience.tries:
            raise Unreachable(
                f"{str(fault).rstrip('.')}, in {self.fruitless} tries in a row; "
                "run the same command again to go on."
            ) from fault
        wait_s = self.patience.wait_s(self.fruitless, draw=self.draw)
        if fault.wait_s is not None and fault.wait_s > wait_s:
            wait_s = min(fault.wait_s, LONGEST_ASKED_S)
            _log.warning("%s It asks to wait; tried again in %.0f s.", fault, wait_s)
        time.sleep(wait_s)


def patiently(work: Callable[[], Result], *, patience: Patience) -> Result:
    """Call `work` again where it is `Unreachable`, and return its result."""
    tries = Tries(patience=patience)
    while True:
        try:
            return work()
        except Unreachable as fault:
            tries.failed(fault, gained=False)
