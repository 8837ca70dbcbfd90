"""Real processes killed while they write; the next run completes what they left."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from feature_runs import NAME, library, open_array, run

from storage.array.manifests import ShardManifest
from storage.array.verification import verify
from storage.errors import Full, NoAnswer, Unreachable
from storage.places.folder import Folder
from storage.store import Store

SCRIPT = Path(__file__).parents[1] / "feature_runs.py"
TRACKS = 600
SHARDS = 10


def start(store: Path, *, pause_s: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(store), str(TRACKS), str(pause_s)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[2])},
    )


def kill_after(process: subprocess.Popen[str], shards: int, *, delay_s: float) -> None:
    """Kill once that many shards were begun, a moment later."""
    assert process.stdout is not None
    for _ in range(shards):
        if process.stdout.readline() in ("done\n", ""):
            break
    time.sleep(delay_s)
    process.send_signal(signal.SIGKILL)
    process.wait()


def compare(store: Path, undisturbed: Path) -> None:
    """Hold the two stores against each other: arrays and plans by byte, manifests by seal."""
    folders = [Folder(found / "features/fma" / NAME) for found in (store, undisturbed)]
    one, other = (folder.list(recursive=True) for folder in folders)
    assert [entry.name for entry in one] == [entry.name for entry in other]
    for entry in one:
        mine, theirs = ((folder / entry.name).read_bytes() for folder in folders)
        if entry.name.startswith("manifests/"):
            mine, theirs = (ShardManifest.from_json(text).seal for text in (mine, theirs))  # type: ignore[assignment]
        elif entry.name == "rows.parquet":
            continue  # it holds the times of the manifests' files
        assert mine == theirs, entry.name
    arrays = [open_array(Store.open(found)) for found in (store, undisturbed)]
    rows = [array.rows().drop(columns="manifest_etag") for array in arrays]
    assert rows[0].equals(rows[1])
    assert verify(arrays[0]) == []


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the store that no one disturbed."""
    path = tmp_path_factory.mktemp("undisturbed") / "store"
    run(open_array(Store.create(path)), library(TRACKS))
    return path


def finish_after_kills(store: Path, kills: list[tuple[int, float]]) -> None:
    """Kill one process after another, then finish; no finished shard is written again."""
    done: dict[str, int] = {}
    for shards, delay_s in kills:
        kill_after(start(store, pause_s=0.005), shards, delay_s=delay_s)
        manifests = Folder(store / "features/fma" / NAME / "manifests")
        for entry in manifests.list():
            assert done.setdefault(entry.name, int(entry.etag)) == int(entry.etag)
    array = open_array(Store.create(store))
    array.sweep()
    run(array, library(TRACKS))
    final = (array.location / "manifests").list()
    assert dict(done.items()).items() <= {entry.name: int(entry.etag) for entry in final}.items()
    assert not list(store.rglob("*.partial"))


@pytest.mark.whole
def test_a_killed_writer_is_completed(tmp_path: Path, undisturbed: Path) -> None:
    finish_after_kills(tmp_path / "store", [(3, 0.004)])
    compare(tmp_path / "store", undisturbed)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(5))
def test_writers_killed_at_random_moments(tmp_path: Path, undisturbed: Path, seed: int) -> None:
    moments = random.Random(seed)
    kills = [(moments.randint(0, SHARDS), moments.uniform(0, 0.03)) for _ in range(4)]
    finish_after_kills(tmp_path / "store", kills)
    compare(tmp_path / "store", undisturbed)


def test_what_a_dead_writer_left_is_swept_and_what_a_live_one_writes_is_not(
    tmp_path: Path,
) -> None:
    code = (
        "import sys, os, signal\n"
        "from pathlib import Path\n"
        "from storage.places.folder import Folder, _temporary\n"
        "with _temporary(Path(sys.argv[1]), [b'half']):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a" / "shard")], check=False)
    left = list((tmp_path / "a").iterdir())
    assert len(left) == 1
    from storage.places.folder import _temporary

    with _temporary(tmp_path / "a" / "other", [b"mine"]):
        assert Folder(tmp_path).sweep() == 1
        assert len(list((tmp_path / "a").iterdir())) == 1
    assert list((tmp_path / "a").iterdir()) == []


def test_temporary_files_of_other_hosts_are_left_for_a_day(tmp_path: Path) -> None:
    young, old = (tmp_path / f".x.00000000-{pid}-1-0123abcd.partial" for pid in (1, 2))
    unknown = tmp_path / ".whatever.partial"
    for path in (young, old, unknown):
        path.write_bytes(b"")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    assert Folder(tmp_path).sweep() == 1
    assert sorted(tmp_path.iterdir()) == sorted([young, unknown])


LIMITED = """
import resource, signal, sys
from pathlib import Path
from storage.errors import Full
from storage.places.folder import Folder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    Folder(Path(sys.argv[1]) / "shard").write_bytes(bytes(5000))
except Full as error:
    print(error)
"""


def test_a_write_that_finds_no_room_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "shard").write_bytes(b"old")
    shown = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert f"writing {tmp_path}/shard failed" in shown.stdout
    assert "free some space" in shown.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["shard"]
    assert (tmp_path / "shard").read_bytes() == b"old"


@pytest.mark.faults
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="needs root to mount a small disk"
)
def test_a_full_disk_is_survived(tmp_path: Path, undisturbed: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)], check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk may not be mounted here")
    try:
        filler = disk / "filler"
        filler.write_bytes(bytes(220_000))
        array = open_array(Store.create(disk / "store"))
        with pytest.raises(Full, match="No space left"):
            run(array, library(TRACKS))
        assert not list(disk.rglob("*.partial"))
        filler.unlink()
        subprocess.run(["mount", "-o", "remount,size=5m", str(disk)], check=True)
        run(array, library(TRACKS))
        compare(disk / "store", undisturbed)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("kind", [Unreachable, NoAnswer])
def test_a_fault_keeps_what_it_knows_between_processes(kind: type[Unreachable]) -> None:
    fault = kind("The server answered 503.", may_be_full=True, wait_s=7.5)
    copy = pickle.loads(pickle.dumps(fault))
    assert type(copy) is kind
    assert (str(copy), copy.may_be_full, copy.wait_s) == (str(fault), True, 7.5)


def test_errors_of_locations_travel_between_processes(store: Store) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        (store.location / "none").read_bytes()
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is type(caught.value)
    assert str(copy) == str(caught.value)
