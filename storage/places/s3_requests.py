"""One request to S3: the client of this process, bounded and jittered retries, a whole answer.

Options are those of s3fs, but requests go through botocore, on which s3fs stands: whole shards
were read three times as fast as through an event loop. Its own retries are off, so that the number
of requests has one bound, here: `ATTEMPTS` for whatever may pass.
"""

import functools
import json
import logging
import os
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from storage.errors import Full, UnknownFormat, Unreachable
from storage.places.options import StorageOptions
from storage.places.s3_errors import explained

ATTEMPTS, ATTEMPTS_AT_LEAST = 7, 3
LONG_S, SAID_AFTER_S = 60.0, 10.0
_log = logging.getLogger(__name__)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 8.0
_CONNECT_LIMIT_S, _READ_LIMIT_S = 5, 20


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server answered.

    Attributes
    ----------
    fields : Mapping
        As botocore gives them.
    body : bytes
        Whole; empty for what has none.
    """

    fields: Mapping[str, Any]
    body: bytes = b""


@dataclass(frozen=True)
class Requests:
    """Requests to one bucket.

    Parameters
    ----------
    bucket : str
    options : Mapping
        Of `s3fs.S3FileSystem`; may hold credentials.
    """

    bucket: str
    options: StorageOptions = field(repr=False)

    def send(self, operation: str, uri: str, method: str, **arguments: Any) -> Answer:
        """Send one request until it is answered, at most `ATTEMPTS` times.

        Where a server is silent, each try takes long: then `ATTEMPTS_AT_LEAST` and `LONG_S` are
        enough. What lasts longer than `SAID_AFTER_S` is logged once.

        Parameters
        ----------
        operation, uri : str
            What is done to what, for the sentence of an error.
        method : str
            Of botocore's S3 client, as `put_object`.
        arguments
            Of that method, but for the bucket.

        Raises
        ------
        StorageError
            That says what the server refused; `Unreachable` for what outlasted the retries.
        Full
            If writing outlasted them while reading works: servers do not agree on how to say that
            their disk is full.
        """
        began, is_said = time.monotonic(), False
        for attempt, pause_s in enumerate(_pauses(), start=1):
            try:
                with explained(operation, uri, self.bucket):
                    fields, body = self._once(method, arguments)
                return Answer(fields=fields, body=body)
            except Unreachable as error:
                seconds = time.monotonic() - began
                if pause_s is None or (attempt >= ATTEMPTS_AT_LEAST and seconds > LONG_S):
                    self._raise_if_full(error, method, str(arguments.get("Key", "")))
                    raise
                if seconds > SAID_AFTER_S and not is_said:
                    is_said = True
                    _log.warning("%s It is tried again, for up to a minute or so.", error)
            time.sleep(pause_s)
        raise AssertionError("the last attempt returns or raises")

    def _once(self, method: str, arguments: Mapping[str, Any]) -> tuple[Any, bytes]:
        client = _client(json.dumps(self.options, sort_keys=True), os.getpid())
        more = _additional(client, method, self.options)
        answer = getattr(client, method)(Bucket=self.bucket, **more, **arguments)
        if method != "get_object":
            return answer, b""
        with answer["Body"] as stream:
            return answer, stream.read()

    def _raise_if_full(self, error: Unreachable, method: str, key: str) -> None:
        if method != "put_object" or not error.may_be_full:
            return
        try:
            self._once("list_objects_v2", {"MaxKeys": 1, "Prefix": key})
        except Exception:  # noqa: BLE001 - whatever it is, the first error is the one to tell
            return
        raise Full(
            f"{str(error).rstrip('.')}, time and again, though bucket {self.bucket!r} can be "
            "read: see whether its disk or quota is full, then run the same command again."
        )


def _pauses() -> Iterator[float | None]:
    """Give the seconds to wait after each attempt, None after the last."""
    for attempt in range(ATTEMPTS - 1):
        yield min(_FIRST_PAUSE_S * 2**attempt, _LONGEST_PAUSE_S) * random.uniform(0.5, 1)
    yield None


@functools.lru_cache(maxsize=16)
def _client(options: str, pid: int) -> Any:  # noqa: ARG001
    """Give one client a process (never one inherited by a fork); threads may share it."""
    from botocore import UNSIGNED  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]
    from botocore.session import Session  # type: ignore[import-untyped]

    given = json.loads(options)
    config = {
        "connect_timeout": _CONNECT_LIMIT_S,
        "read_timeout": _READ_LIMIT_S,
        "max_pool_connections": 32,
        **({"signature_version": UNSIGNED} if given.get("anon") else {}),
        **given.get("config_kwargs", {}),
        "retries": {"total_max_attempts": 1},
    }
    settings = {
        "use_ssl": given.get("use_ssl", True),
        "endpoint_url": given.get("endpoint_url"),
        "aws_access_key_id": given.get("key"),
        "aws_secret_access_key": given.get("secret"),
        "aws_session_token": given.get("token"),
        **given.get("client_kwargs", {}),
    }
    try:
        return Session(profile=given.get("profile")).create_client(
            "s3", config=Config(**config), **settings
        )
    except TypeError:
        raise UnknownFormat(
            "The storage options `client_kwargs` or `config_kwargs` (not shown) hold what botocore "
            "does not know: give arguments of its create_client and Config."
        ) from None


def _additional(client: Any, method: str, options: StorageOptions) -> dict[str, Any]:
    """Pick those of the arguments that go with every request which this one knows."""
    always = dict(options.get("s3_additional_kwargs", {}))
    if options.get("requester_pays"):
        always["RequestPayer"] = "requester"
    if not always:
        return {}
    known = client.meta.service_model.operation_model(
        client.meta.method_to_api_mapping[method]
    ).input_shape.members
    return {name: value for name, value in always.items() if name in known}
