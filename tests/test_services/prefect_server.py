"""A Prefect server of a test's own, and workers on it: what the service tests share."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from limits import COMMAND_S, STEP_S, TRY_S

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    """A running Prefect server.

    Attributes
    ----------
    api : str
        Its address, up to `/api`.
    env : dict[str, str]
        The environment of everything that is to speak with it.
    """

    api: str
    env: dict[str, str]

    def prefect(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def get(self, path: str) -> Any:
        return _answer(urllib.request.Request(f"{self.api}/{path}", headers=self._headers()))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.api}/{path}",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json", **self._headers()},
        )
        return _answer(request)

    def patch(self, path: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(
            f"{self.api}/{path}",
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json", **self._headers()},
            method="PATCH",
        )
        urllib.request.urlopen(request, timeout=TRY_S).close()

    def _headers(self) -> dict[str, str]:
        password = self.env.get("PREFECT_API_AUTH_STRING", "")
        basic = f"Basic {base64.b64encode(password.encode()).decode()}"
        return {"authorization": basic} if password else {}


def _answer(request: urllib.request.Request) -> Any:
    """Ask again for as long as the server says 503, as it does while its SQLite file is locked."""
    deadline = time.monotonic() + STEP_S
    while True:
        try:
            with urllib.request.urlopen(request, timeout=STEP_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.5, 1.5))


@contextmanager
def prefect_server(home: Path, **settings: str) -> Iterator[Server]:
    """Start a server whose database lies in `home`; `settings` are further variables."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    api = f"http://127.0.0.1:{port}/api"
    env = {
        **os.environ,
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": api,
        "PREFECT_SERVER_UI_API_URL": api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        **settings,
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for_health(api)
        yield Server(api, env)
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def _wait_for_health(api: str) -> None:
    deadline = time.monotonic() + STEP_S
    while True:
        try:
            urllib.request.urlopen(f"{api}/health", timeout=TRY_S).close()
        except OSError:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.5)
        else:
            return


@contextmanager
def worker(server: Server, pool: str, *, folder: Path, **settings: str) -> Iterator[int]:
    """Start a worker of `pool` in `folder`; yield its process id, which is its group's too."""
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool],
        cwd=folder,
        env={**server.env, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process.pid
    finally:
        # a flow run has a session of its own, and would outlast its worker
        runs = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, 9)
        process.wait()
        for run in runs:
            with contextlib.suppress(psutil.NoSuchProcess):
                run.kill()


def finished_run(server: Server, run_id: str, *, limit_s: float = COMMAND_S) -> Any:
    """Wait until the flow run has ended, and return it."""
    deadline = time.monotonic() + limit_s
    while True:
        run = server.get(f"flow_runs/{run_id}")
        if run["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            return run
        assert time.monotonic() < deadline, f"the run is still {run['state_name']}"
        time.sleep(1)


def save_credentials(server: Server, name: str, options: dict[str, Any]) -> str:
    """Save what reaches a bucket as a block, and give the address of the block."""
    code = (
        "import sys\n"
        "from prefect_aws import AwsCredentials\n"
        "name, key, secret, url = sys.argv[1:]\n"
        "AwsCredentials(aws_access_key_id=key, aws_secret_access_key=secret,\n"
        "    region_name='us-east-1', aws_client_parameters={'endpoint_url': url}).save(name)\n"
    )
    given = [options[each] for each in ("key", "secret", "endpoint_url")]
    subprocess.run(
        [sys.executable, "-c", code, name, *given], env=server.env, check=True, timeout=COMMAND_S
    )
    return f"aws-credentials/{name}"


def start_deployment(server: Server, name: str, **parameters: Any) -> Any:
    """Ask for a run of the deployment of that name, and return the run."""
    (found,) = [each for each in server.post("deployments/filter", {}) if each["name"] == name]
    return server.post(f"deployments/{found['id']}/create_flow_run", {"parameters": parameters})
