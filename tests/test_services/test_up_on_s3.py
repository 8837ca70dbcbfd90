"""Several machines that share a Prefect server, a Dask scheduler and a bucket, and nothing else."""

from __future__ import annotations

import functools
import json
import re
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deployment_runs import ENDED, Run, create_run, free_port, until
from fault_processes import Started
from limits import STEP_S
from machines import Machines, folders, namespaces, no_namespaces
from prefect_server import Server
from seaweedfs import SeaweedFS
from tiny_fma import GENRES, clip, tracks_csv, write_tiny_fma

from storage.array.layout import ROWS_PER_SHARD

pytestmark = pytest.mark.services

NAMES = ("bucket", "server", "gpu", "scheduler", "worker-1", "worker-2")
STORE, DATA = "s3://results/store", "s3://music/fma"
TRACKS, CLIP_S = 200, 6.5  # four shards
SPLITS = ("training",) * 6 + ("validation",) * 2 + ("test",) * 2
BLOCK = "aws-credentials/bucket"
OUTPUT = (".out", ".err")
PASSWORD = {"PREFECT_API_AUTH_STRING": "genre:sesame"}
ITS_PASSWORD = {f"PREFECT_SERVER_{name[8:]}": word for name, word in PASSWORD.items()}


@dataclass(frozen=True)
class Place:
    """Everything that runs, each on its machine.

    Attributes
    ----------
    machines : Machines
    bucket : SeaweedFS
    server : Server
    scheduler : str
        The Dask scheduler's address.
    workers : dict[str, str]
        Dask's address of each machine of a Dask worker -> the machine's name.
    processes : dict[str, Started]
        By machine.
    parameters : dict[str, str]
        That runs are to be given, because `genre up` was not.
    """

    machines: Machines
    bucket: SeaweedFS
    server: Server
    scheduler: str
    workers: dict[str, str]
    processes: dict[str, Started]
    parameters: dict[str, str]

    def start_run(self) -> Run:
        """Start a full run that uses all of them; ask for it in the machines' network only."""
        small = {"network": "notebook", "preset": "notebook", "epochs": 1}
        return create_run(self.server, "full-run", **small, **self.parameters)

    def objects(self) -> dict[str, int]:
        """List the store: name -> size."""

        def listed() -> dict[str, int]:
            pages = self.bucket.client().list_objects_v2(Bucket="results", Prefix="store/")
            return {each["Key"][len("store/") :]: each["Size"] for each in pages["Contents"]}

        return self.machines.asked(listed)

    def content(self, name: str) -> Any:
        """Read a JSON object of the store."""

        def read() -> bytes:
            found = self.bucket.client().get_object(Bucket="results", Key=f"store/{name}")
            return bytes(found["Body"].read())

        return json.loads(self.machines.asked(read))


@dataclass(frozen=True)
class Ran:
    """A full run that has ended.

    Attributes
    ----------
    place : Place
    facts, child : dict
        What the server knows of the run, and of the one that trained for it.
    told : str
        All that the server keeps of runs, logs and artifacts.
    logs : list[str]
        The messages of all runs.
    """

    place: Place
    facts: dict[str, Any]
    child: dict[str, Any]
    told: str
    logs: list[str]


@pytest.fixture(scope="module", params=["folders", "namespaces"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """Start bucket, `genre up`, Prefect worker, Dask scheduler and workers, each on its machine.

    In folders every process has the bucket's credentials, and the server asks for the password that
    it made. In namespaces it is given one, no process has credentials, and a block on the server
    holds them.
    """
    is_apart = request.param == "namespaces"
    if is_apart and (reason := no_namespaces()):
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("machines")
    joined = namespaces(folder, NAMES, free=["bucket"]) if is_apart else folders(folder, NAMES)
    with ExitStack() as stack:
        machines = stack.enter_context(joined)
        bucket = _bucket(machines)
        stack.callback(bucket.kill)
        processes: dict[str, Started] = {}

        def start(name: str, *command: str, **env: str) -> Started:
            given = env if is_apart else {**bucket.environment(), **env}
            entered = machines[name].running(sys.executable, "-m", *command, **given)
            processes[name] = stack.enter_context(entered)
            return processes[name]

        scheduler = _scheduler(machines, start)
        workers = _workers(scheduler, machines, start)
        if is_apart:
            given = ["--scheduler", scheduler, "--storage-block", BLOCK]
            server = _genre_up(machines, start, *given, **ITS_PASSWORD)
        else:
            server = _genre_up(machines, start)
        there = {**server.env, "PREFECT_API_URL": server.api}
        start("gpu", "prefect", "worker", "start", "--pool", "gpu", **there)
        if is_apart:
            _save_block(machines, server, bucket)
        asked = {} if is_apart else {"scheduler": scheduler}
        yield Place(machines, bucket, server, scheduler, workers, processes, asked)


def _bucket(machines: Machines) -> SeaweedFS:
    """Start the bucket and put a data set of short clips into it."""
    machine = machines["bucket"]
    bucket = SeaweedFS(machine.folder, host=machine.address, enter=machine.enter)

    def fill() -> None:
        bucket.start()
        for name in ("music", "results"):
            bucket.make_bucket(name)
        client, rng = bucket.client(), np.random.default_rng(7)
        sounds = {genre: clip(rng, is_tone=genre == "Rock", seconds=CLIP_S) for genre in GENRES}
        rows = []
        for number in range(TRACKS):
            genre, split = GENRES[number % 2], SPLITS[number // 2 % len(SPLITS)]
            rows.append((number + 2, genre, split))
            key = f"fma/fma_small/000/{number + 2:06d}.mp3"
            client.put_object(Bucket="music", Key=key, Body=sounds[genre])
        client.put_object(
            Bucket="music", Key="fma/fma_metadata/tracks.csv", Body=tracks_csv(rows).encode()
        )

    machines.asked(fill)
    return bucket


def _scheduler(machines: Machines, start: Any) -> str:
    port, host = free_port(), machines["scheduler"].address
    process = start(
        "scheduler",
        "distributed.cli.dask_scheduler",
        *("--host", host, "--port", str(port), "--no-dashboard"),
    )
    until(lambda: "Scheduler at" in process.said, what="a scheduler")
    return f"tcp://{host}:{port}"


def _workers(scheduler: str, machines: Machines, start: Any) -> dict[str, str]:
    found = {}
    for name in ("worker-1", "worker-2"):
        process = start(
            name,
            "distributed.cli.dask_worker",
            *(scheduler, "--nthreads", "1", "--host", machines[name].address, "--no-dashboard"),
        )
        is_known = lambda its: "Registered to:" in its.said  # noqa: E731
        until(functools.partial(is_known, process), what=f"{name} registers")
        (address,) = re.findall(r"Start worker at:\s+(tcp://\S+)", process.said)
        found[address] = name
    return found


def _genre_up(machines: Machines, start: Any, *given: str, **env: str) -> Server:
    """Run `genre up` with a worker of the pool cpu alone; give the server, and its password."""
    host = machines["server"].address
    process = start(
        "server",
        *("flows.command.cli", "up", "--json", "--pool", "cpu", "--host", host),
        *("--port", str(free_port()), "--data", DATA, "--store", STORE, *given),
        **env,
    )
    ended = lambda: process.process.poll() is not None  # noqa: E731
    is_up = lambda: process.out.read_text().endswith("}\n")  # noqa: E731
    until(lambda: is_up() or ended(), what="genre up")
    assert is_up(), process.said
    result = json.loads(process.out.read_text())
    assert result["store"] == STORE
    assert (result["password"] is None) is (env == ITS_PASSWORD)
    made = Path(result["password"]).read_text() if result["password"] else ""
    login = {"PREFECT_API_AUTH_STRING": made} if made else PASSWORD
    return Server(str(result["api"]), login)


def _save_block(machines: Machines, server: Server, bucket: SeaweedFS) -> None:
    options = bucket.options()
    code = (
        "import sys\n"
        "from prefect_aws import AwsCredentials\n"
        "key, secret, url = sys.argv[1:]\n"
        "AwsCredentials(aws_access_key_id=key, aws_secret_access_key=secret,\n"
        "    region_name='us-east-1', aws_client_parameters={'endpoint_url': url}).save('bucket')\n"
    )
    given = (options["key"], options["secret"], options["endpoint_url"])
    env = {**PASSWORD, "PREFECT_API_URL": server.api}
    machines["server"].run(sys.executable, "-c", code, *given, **env)


@pytest.fixture(scope="module")
def ran(place: Place) -> Ran:
    """Run everything once."""

    def finished() -> Ran:
        post, run = place.server.post, place.start_run()
        facts = run.ended()
        runs = post("flow_runs/filter", {})
        (child,) = [each for each in runs if each["work_pool_name"] == "gpu"]

        def records() -> list[dict[str, Any]]:
            asked = [
                post("logs/filter", {"limit": 200, "offset": at}) for at in range(0, 1_000, 200)
            ]
            return [record for page in asked for record in page]

        def is_told() -> bool:
            return any(f"report {STORE}/" in each["message"] for each in records())

        # a run's last records arrive after its last state
        until(is_told, what="the run tells of its report")
        found = records()
        told = str([runs, found, post("artifacts/filter", {}), post("task_runs/filter", {})])
        return Ran(place, facts, child, told, [each["message"] for each in found])

    return place.machines.asked(finished)


def test_a_full_run_completes_and_lies_in_the_bucket(ran: Ran) -> None:
    assert ran.facts["state_type"] == "COMPLETED", ran.facts["state"]["message"]
    names = set(ran.place.objects())
    shards = [name for name in names if "/log_mel/c/" in name]
    manifests = [name for name in names if "/manifests/" in name]
    assert len(shards) == len(manifests) == -(-TRACKS // ROWS_PER_SHARD)
    model = ran.place.content("champion.json")["model"]
    assert {
        f"models/{model}/model.keras",
        f"models/{model}/evaluation/test/report.html",
        f"models/{model}/evaluation/test/metrics.json",
    } <= names
    assert any(f"report {STORE}/models/{model}" in message for message in ran.logs)


def test_every_dask_worker_wrote_shards(ran: Ran) -> None:
    written = [re.search(r"tracks in .* s on (tcp://\S+)", message) for message in ran.logs]
    by_shard = [found[1] for found in written if found]
    assert len(by_shard) == -(-TRACKS // ROWS_PER_SHARD)
    assert set(by_shard) == set(ran.place.workers)


def test_the_gpu_machine_trained(ran: Ran) -> None:
    assert ran.child["state_type"] == "COMPLETED"
    assert ran.child["id"] in ran.place.processes["gpu"].said
    log = ran.place.machines["server"].folder / "home/prefect/genre-up/worker-cpu.log"
    assert ran.facts["id"] in log.read_text()
    assert ran.child["id"] not in log.read_text()


def test_nothing_is_left_on_any_machine(ran: Ran) -> None:
    """Look for what is not the user's caches, and for audio in the temporary files."""
    for name, machine in ran.place.machines.all.items():
        if name == "bucket":
            continue
        own = {path.name for path in machine.folder.iterdir() if path.suffix not in OUTPUT}
        assert own == {"home", "tmp"}, name
        temporary = [
            path.relative_to(machine.folder / "tmp")
            for path in (machine.folder / "tmp").rglob("*")
            if path.is_file()
        ]
        theirs = ("dask-scratch-space", "prefect-workspace")
        left = [path for path in temporary if not path.parts[0].startswith(theirs)]
        assert left == [], name


def test_features_built_alone_start_a_training_with_the_same_credentials(ran: Ran) -> None:
    server = ran.place.server

    def trained() -> tuple[dict[str, Any], dict[str, Any]]:
        built = create_run(server, "build-features", preset="notebook", **ran.place.parameters)
        built.completed()

        def others() -> list[dict[str, Any]]:
            runs = server.post("flow_runs/filter", {})
            pool = [each for each in runs if each["work_pool_name"] == "gpu"]
            return [each for each in pool if each["id"] != ran.child["id"]]

        until(others, what="a training")
        run = Run(server, others()[0]["id"])
        # By then it has read the features; the default network need not be trained here.
        until(lambda: run.task_runs() or run.state in ENDED, what="its training")
        run.cancel()
        return others()[0]["parameters"], run.ended()

    given, training = ran.place.machines.asked(trained)
    is_by_block = not ran.place.parameters
    assert given["storage_block"] == (BLOCK if is_by_block else None)
    assert training["state_type"] == "CANCELLED", training["state"]["message"]


def test_a_folder_that_dask_workers_do_not_see_is_refused(place: Place) -> None:
    machine = place.machines["server"]
    if not machine.enter:
        pytest.skip("folders of one machine are seen by all who run there")
    mine = machine.folder / "tmp" / "mine"
    write_tiny_fma(mine / "fma")
    command = ("flows.command.cli", "features", "--data", f"{mine}/fma", "--store", f"{mine}/store")
    with machine.running(
        *(sys.executable, "-m", *command, "--scheduler", place.scheduler),
        **{**PASSWORD, "PREFECT_API_URL": place.server.api},
    ) as process:
        assert process.wait() == 2, process.said
    address = re.search(r"genre: the Dask worker at (\S+) does not see", process.said)
    assert address, process.said
    assert address[1] in place.workers
    assert f"does not see {mine}/fma; workers on other machines need the same" in process.said
    assert list(mine.glob("store/features/*/*/manifests/*")) == []
    shutil.rmtree(mine)


def test_no_secret_is_told(ran: Ran) -> None:
    secret = ran.place.bucket.options()["secret"]
    assert secret not in ran.told
    assert [name for name, each in ran.place.processes.items() if secret in each.said] == []


def test_the_dashboard_is_served(ran: Ran) -> None:
    """On machines of namespaces nobody may write to the installed packages."""
    url = ran.place.server.api.removesuffix("/api")

    def page() -> str:
        asked = urllib.request.Request(url, headers={"accept": "text/html"})
        with urllib.request.urlopen(asked, timeout=STEP_S) as answer:
            return str(answer.read().decode())

    assert "<title>Prefect" in ran.place.machines.asked(page)
