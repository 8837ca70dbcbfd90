"""Who a process is, so that another process on the same host can tell whether it still lives."""

import functools
import os
import socket
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import psutil

_SAME_START_S = 2.0  # psutil derives start times from the boot time, which NTP may shift a little


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """One process on one host.

    Attributes
    ----------
    host : str
        The host's name.
    boot : str
        8 hex digits of host, kernel boot and pid namespace: pids can be compared only where it
        is the same (containers that share a kernel and a host name do not share pids).
    pid : int
    started : float
        The process's start, seconds since the epoch; a pid alone may have been given again.
    """

    host: str
    boot: str
    pid: int
    started: float

    @property
    def is_judgeable(self) -> bool:
        """Whether this process can see if that one lives."""
        return self.boot == _boot_key()

    @property
    def is_dead(self) -> bool:
        """Whether the process is known to be dead; False where it cannot be judged."""
        if not self.is_judgeable:
            return False
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
            return abs(process.create_time() - self.started) > _SAME_START_S
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:
            return False


def this_process() -> ProcessIdentity:
    """Identify the calling process (the right one also after a fork)."""
    return _identify(os.getpid())


@functools.lru_cache(maxsize=4)
def _identify(pid: int) -> ProcessIdentity:
    started = round(psutil.Process(pid).create_time(), 2)
    return ProcessIdentity(host=socket.gethostname(), boot=_boot_key(), pid=pid, started=started)


@functools.cache
def _boot_key() -> str:
    known = [socket.gethostname()]
    boot_id = Path("/proc/sys/kernel/random/boot_id")
    namespace = Path("/proc/self/ns/pid")
    if boot_id.exists():
        known.append(boot_id.read_text().strip())
    if namespace.is_symlink():
        known.append(str(namespace.readlink()))
    return sha256("\n".join(known).encode()).hexdigest()[:8]
