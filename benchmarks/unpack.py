"""Unpacking an archive of FMA's form: ``python -m benchmarks.unpack``.

Clips of noise, as incompressible as MP3s, packed with bzip2, are unpacked by what is installed of
`7zz x` (7-Zip), `bsdtar -xf` and `unzip`, and by what a fetch's tasks do: in this process, in
threads, and on Dask's workers, which are running already. `libbz2 alone` is the floor of ours:
Python's `bz2.decompress` of the same members in one process, nothing compared or written. Ours
compare CRCs, hash every file with sha1 and sync it to the disk; the others compare CRCs. The ways
take turns; the quickest turn of each is told, and the least CPU time (of all processes), which says
more where others compute, too.
"""

from __future__ import annotations

import argparse
import bz2
import json
import os
import random
import resource
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from distributed import Client

from benchmarks.clips import say, workplace
from flows.engine.cluster import dask_client
from storage.archives import unpacking
from storage.archives.archive_file import ArchiveAt
from storage.archives.contents import read_contents
from storage.archives.origin import Stored
from storage.places.folder import Folder
from tasks.worker.unpacking import PartJob, unpack

NAME = "fma_small"
_HEADER_BYTES = 30  # of a member; its name follows, and no extra field in an archive made here
OTHERS = {
    "7zz x": ["7zz", "x", "-y", "-bso0", "-bsp0"],
    "7z x": ["7z", "x", "-y", "-bso0", "-bsp0"],
    "bsdtar -xf": ["bsdtar", "-xf"],
    "unzip": ["unzip", "-q"],
}


def make_archive(path: Path, *, clips: int, clip_bytes: int) -> None:
    """Pack clips of noise."""
    draw = random.Random(0)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        for number in range(clips):
            name = f"{NAME}/{number // 1_000:03d}/{number:06d}.mp3"
            archive.writestr(name, draw.randbytes(clip_bytes))


def jobs_of(archive: Path, target: Path, *, at_once: int) -> list[PartJob]:
    """Divide the archive as a fetch does, but into enough parts for all that work at once."""
    place = Stored(Folder(archive))
    at = ArchiveAt.of(place, place.facts())
    with at.open() as file:
        contents = read_contents(file, root=NAME)
    per_part = -(-len(contents.members) // (4 * at_once))
    unpacking.MEMBERS_A_PART = min(unpacking.MEMBERS_A_PART, per_part)
    plan = unpacking.plan_unpacking(contents, {}, {})
    clips, notes = Folder(target / NAME), Folder(target / "notes")
    return [PartJob(archive=at, part=part, target=clips, notes=notes) for part in plan.parts]


def decompress_alone(archive: Path, target: Path) -> None:
    """Do what no reader of bzip2 by libbz2 can leave out; `target` stays empty."""
    target.mkdir()
    content = archive.read_bytes()
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            start = info.header_offset + _HEADER_BYTES + len(info.filename)
            bz2.decompress(content[start : start + info.compress_size])


def in_threads(archive: Path, target: Path, *, threads: int) -> None:
    """Unpack in threads of this process."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(unpack, jobs_of(archive, target, at_once=threads)))


def on_dask(archive: Path, target: Path, *, client: Client) -> None:
    """Unpack on the client's workers."""
    jobs = jobs_of(archive, target, at_once=len(client.nthreads()))
    client.gather(client.map(unpack, jobs, pure=False))


def by_another(archive: Path, target: Path, *, command: list[str]) -> None:
    """Unpack with another program."""
    target.mkdir(parents=True)
    subprocess.run([*command, str(archive)], cwd=target, check=True)


def cpu_seconds(client: Client) -> float:
    """Return the CPU time of this process, of children that have ended, and of the workers [s]."""
    ours = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    workers = client.run(time.process_time).values()
    return float(sum(each.ru_utime + each.ru_stime for each in ours) + sum(workers))


def measure(
    ways: dict[str, Callable[[Path, Path], None]],
    archive: Path,
    folder: Path,
    *,
    rounds: int,
    client: Client,
) -> dict[str, list[tuple[float, float]]]:
    """Let the ways take turns, and return the seconds and the CPU seconds of each turn."""
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for number in range(rounds):
        for way, work in ways.items():
            target = folder / f"out-{number}"
            began, cpu = time.monotonic(), cpu_seconds(client)
            work(archive, target)
            taken[way].append((time.monotonic() - began, cpu_seconds(client) - cpu))
            say(f"{way}: {taken[way][-1][0]:.2f} s")
            shutil.rmtree(target)
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--clip-bytes", type=int, default=900_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    cores = os.cpu_count() or 1
    others = {way: command for way, command in OTHERS.items() if shutil.which(command[0])}
    with workplace() as folder, dask_client(workers=cores) as client:
        archive = folder / f"{NAME}.zip"
        say(f"packing {options.clips} clips")
        make_archive(archive, clips=options.clips, clip_bytes=options.clip_bytes)
        ways: dict[str, Callable[[Path, Path], None]] = {
            **{way: partial(by_another, command=command) for way, command in others.items()},
            "libbz2 alone": decompress_alone,
            "one process": partial(in_threads, threads=1),
            f"{cores} threads": partial(in_threads, threads=cores),
            f"{cores} Dask workers": partial(on_dask, client=client),
        }
        taken = measure(ways, archive, folder, rounds=options.rounds, client=client)
    megabytes = options.clips * options.clip_bytes / 1e6
    best = {way: [min(each) for each in zip(*turns, strict=True)] for way, turns in taken.items()}
    first = best[next(iter(ways))]
    rows = [
        {
            "way": way,
            "seconds": round(seconds, 3),
            "mb_s": round(megabytes / seconds, 1),
            "ratio": round(seconds / first[0], 2),
            "cpu_s": round(cpu, 3),
            "cpu_ratio": round(cpu / first[1], 2),
        }
        for way, (seconds, cpu) in best.items()
    ]
    if options.json:
        print(json.dumps({"megabytes": megabytes, "cores": cores, "unpack": rows}))
        return
    print(f"{options.clips} clips, {megabytes:.0f} MB unpacked; {cores} cores\n")
    print(f"{'':16}{'seconds':>9}{'MB/s':>8}{'ratio':>8}{'CPU s':>9}{'ratio':>8}")
    for row in rows:
        print(
            f"{row['way']:16}{row['seconds']:9.2f}{row['mb_s']:8.1f}{row['ratio']:8.2f}"
            f"{row['cpu_s']:9.2f}{row['cpu_ratio']:8.2f}"
        )


if __name__ == "__main__":
    main()
