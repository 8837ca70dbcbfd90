"""Several "machines" on one: folders that share 127.0.0.1, or namespaces that share nothing.

A machine of namespaces has a network, process ids, a host name and a view of the disk of its own:
it can write to its own folder only, and the others' folders are empty for it. A bridge joins them
from a namespace that is none of theirs, so that this machine's own network is never touched, and
all of it vanishes with the processes that hold it.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil
from fault_processes import Started, nothing_left, start
from limits import COMMAND_S, STEP_S

Answer = TypeVar("Answer")

NETWORK = "10.203.0"
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


@dataclass(frozen=True)
class Machine:
    """Where processes are started.

    Attributes
    ----------
    name : str
    folder : Path
        Working folder, home, temporary files and Prefect's folder of all that runs there.
    address : str
        At which the other machines reach it.
    enter : tuple[str, ...]
        Command that runs another one there; empty for a folder alone.
    """

    name: str
    folder: Path
    address: str
    enter: tuple[str, ...] = ()

    @contextmanager
    def running(self, *command: str, **env: str) -> Iterator[Started]:
        """Run a command there, and end it with all that it has started."""
        with nothing_left(self.started(*command, **env)) as process:
            yield process

    def started(self, *command: str, **env: str) -> Started:
        """Start a command there."""
        given = {**_nothing_of_ours(), **self._own(), **env}
        return start([*self.enter, *command], folder=self.folder, **given)

    def run(self, *command: str, limit_s: float = COMMAND_S, **env: str) -> str:
        """Run a command there to its end, and give what it wrote to stdout."""
        with self.running(*command, **env) as process:
            code = process.wait(limit_s)
            assert code == 0, process.said
            return process.out.read_text()

    def _own(self) -> dict[str, str]:
        home, temporary = self.folder / "home", self.folder / "tmp"
        for folder in (home, temporary):
            folder.mkdir(parents=True, exist_ok=True)
        return {
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "PREFECT_HOME": str(home / "prefect"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        }


@dataclass(frozen=True)
class Machines:
    """Some machines, and a place from which the test reaches all of them.

    Attributes
    ----------
    all : dict[str, Machine]
    observer : ThreadPoolExecutor, optional
        A thread in the machines' network; none where that is the test's own.
    """

    all: dict[str, Machine]
    observer: ThreadPoolExecutor | None = None

    def __getitem__(self, name: str) -> Machine:
        return self.all[name]

    def asked(self, question: Callable[[], Answer]) -> Answer:
        """Call `question` where it reaches the machines; threads of others it may not use."""
        return self.observer.submit(question).result() if self.observer else question()


@contextmanager
def folders(place: Path, names: Sequence[str]) -> Iterator[Machines]:
    """Give machines that are folders of `place` and share all else."""
    found = {name: Machine(name, place / name, "127.0.0.1") for name in names}
    for machine in found.values():
        machine.folder.mkdir(parents=True)
    yield Machines(found)


def no_namespaces() -> str:
    """Say why there can be no namespaces here; "" where there can."""
    try:
        done = subprocess.run(
            [*_APART, *["ip", "link", "add", "probe0", "type", "veth", "peer", "name", "probe1"]],
            capture_output=True,
            text=True,
            timeout=STEP_S,
            check=False,
        )
    except FileNotFoundError:
        return "no `unshare` (util-linux) here"
    if done.returncode != 0:
        return f"no namespaces here, which take root and iproute2: {done.stderr.strip()}"
    return ""


@contextmanager
def namespaces(
    place: Path, names: Sequence[str], *, free: Sequence[str] = ()
) -> Iterator[Machines]:
    """Give machines whose networks, processes and files are apart, joined by a bridge.

    Those of `free` may write anywhere (SeaweedFS has sockets in /tmp whatever it is told).
    """
    with ExitStack() as stack:
        switch = stack.enter_context(_held(["unshare", "--net"], "ip link set lo up"))
        _in_network(switch, "ip link add br0 type bridge", "ip link set br0 up")
        _in_network(switch, f"ip address add {NETWORK}.254/24 dev br0")
        paths = {name: place / name for name in names}
        for path in paths.values():
            path.mkdir(parents=True)
        found = {}
        for number, name in enumerate(names, start=1):
            others = [path for path in paths.values() if path != paths[name]]
            view = _view(name, paths[name], others, is_free=name in free)
            holder = stack.enter_context(_held(_APART, view))
            pid = psutil.Process(holder).children()[0].pid  # the first process of its own
            _plug_in(switch, pid, number)
            enter = ("nsenter", f"--target={pid}", "--mount", "--uts", "--net", "--pid")
            found[name] = Machine(
                name, paths[name], f"{NETWORK}.{number}", (*enter, f"--wdns={paths[name]}", "--")
            )
        observer = ThreadPoolExecutor(1, initializer=_join_network, initargs=(switch,))
        stack.callback(observer.shutdown)
        yield Machines(found, observer)


_APART = ["unshare", "--mount", "--uts", "--pid", "--net", "--fork", "--kill-child", "--mount-proc"]


def _nothing_of_ours() -> dict[str, str | None]:
    """Take away what the test's own environment says of Prefect, buckets and the project."""
    ours = ("PREFECT_", "AWS_", "GENRE_", "XDG_", "DASK_")
    return {name: None for name in os.environ if name.startswith(ours) and "CA_BUNDLE" not in name}


def _view(name: str, own: Path, others: Sequence[Path], *, is_free: bool) -> str:
    """Write the commands that give a machine its name and its view of the disk."""
    mine, above = shlex.quote(str(own)), shlex.quote(str(own.parent))
    closed = f"for disk in / $(findmnt -nro TARGET -T {above}); "
    closed += "do mount -o remount,bind,ro $disk; done"
    return "; ".join(
        [
            "set -e",
            f"hostname {name}",
            f"mount --bind {mine} {mine}",
            *(f"mount -t tmpfs -o ro none {shlex.quote(str(other))}" for other in others),
            "mount -t tmpfs none /dev/shm",
            *([] if is_free else [closed]),
        ]
    )


@contextmanager
def _held(apart: Sequence[str], commands: str) -> Iterator[int]:
    """Hold new namespaces open, in which `commands` were run, with a process that only waits."""
    script = f"{commands}; echo ready; exec env --ignore-signal=CHLD sleep infinity"
    process = subprocess.Popen(
        [*apart, "sh", "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_end_with_parent,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", f"this did not work: {commands}"
        yield process.pid
    finally:
        process.kill()
        process.wait()


def _end_with_parent() -> None:
    death_signal_of_parent = 1
    ctypes.CDLL(None).prctl(death_signal_of_parent, signal.SIGKILL)


def _plug_in(switch: int, pid: int, number: int) -> None:
    port = f"port{number}"
    _in_network(
        switch,
        f"ip link add {port} type veth peer name eth0 netns {pid}",
        f"ip link set {port} master br0 up",
    )
    _in_network(
        pid,
        "ip link set lo up",
        f"ip address add {NETWORK}.{number}/24 dev eth0",
        "ip link set eth0 up",
    )


def _in_network(pid: int, *commands: str) -> None:
    for command in commands:
        subprocess.run(
            ["nsenter", f"--target={pid}", "--net", *command.split()], check=True, timeout=STEP_S
        )


def _join_network(pid: int) -> None:
    """Move the calling thread, and it alone, to the network of another process."""
    with Path(f"/proc/{pid}/ns/net").open() as network:
        if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), "setns")
