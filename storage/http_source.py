"""An archive behind HTTP, one GET a call; RFC 9110 has the rules for ranges and validators."""

import functools
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.errors import Full, NotFound, Refused, UnknownFormat, Unreachable
from storage.sources import Answer, RangeRefused, Source

if TYPE_CHECKING:
    import httpx

CONNECT_LIMIT_S = 15.0
STALL_LIMIT_S = 60.0
"""Seconds without a byte after which the line counts as broken."""

_CONTENT_RANGE = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<size>\d+|\*)")
_PASSING = {408, 421, 425, 429}


@dataclass(frozen=True)
class HttpSource(Source):
    """A content behind `http://` or `https://`.

    Parameters
    ----------
    address : str
        It may hold a user's name and password, which are never shown.
    stall_limit_s : float
        Seconds without a byte after which a try is given up.
    """

    address: str
    stall_limit_s: float = STALL_LIMIT_S

    @staticmethod
    def parse(address: str) -> "HttpSource":
        """Check an address.

        Raises
        ------
        UnknownFormat
            If it names no host.
        """
        import httpx

        try:
            host = httpx.URL(address).host
        except httpx.InvalidURL:
            host = ""
        if not host:
            raise UnknownFormat(f"{address!r} names no host: give http://host/folder.")
        limit_s = float(os.environ.get("GENRE_STALL_LIMIT", STALL_LIMIT_S))
        return HttpSource(address, limit_s)

    @property
    def uri(self) -> str:
        """The address without user and password."""
        return re.sub(r"//[^/@]*@", "//", self.address, count=1)

    @contextmanager
    def open(
        self, start: int = 0, *, stop: int | None = None, version: str = ""
    ) -> Iterator[Answer]:
        """Send one GET, and check that its answer is what was asked for."""
        import httpx

        headers = _headers(start, stop, version)
        client = _client(os.getpid(), self.stall_limit_s)
        try:
            with client.stream("GET", self.address, headers=headers) as response:
                self._check(response)
                begins, size = self._extent(response)
                # pieces as they arrive: what waits for a larger one is lost when the line breaks
                yield Answer(
                    start=begins,
                    size=size,
                    version=_version(response.headers),
                    pieces=response.iter_raw(),
                )
        except httpx.InvalidURL as error:
            raise UnknownFormat(f"{self.uri} is no address ({error}).") from error
        except httpx.UnsupportedProtocol as error:
            raise UnknownFormat(f"{self.uri} leads to an address that is not HTTP.") from error
        except httpx.TooManyRedirects as error:
            raise Refused(f"{self.uri} redirects in a circle; give another --mirror.") from error
        except httpx.TimeoutException as error:
            what = "no connection" if isinstance(error, httpx.ConnectTimeout) else "no byte"
            raise Unreachable(f"{self.uri} gave {what} within the time limit.") from error
        except httpx.ConnectError as error:
            raise Unreachable(f"{self.uri} does not answer: {_reason(error)}.") from error
        except httpx.HTTPError as error:
            raise Unreachable(f"{self.uri} broke off: {_reason(error)}.") from error

    def _check(self, response: "httpx.Response") -> None:
        status, name = response.status_code, f"{response.status_code} {response.reason_phrase}"
        if status in (404, 410):
            raise NotFound(
                f"{self.uri} is not there ({name}); check --mirror (archives are at URL/NAME.zip)."
            )
        if status in _PASSING or status >= 500:
            if status == 507:
                raise Full(f"{self.uri} answered {name}.")
            raise Unreachable(f"{self.uri} answered {name}.")
        if status >= 400 and status != 416:
            raise Refused(f"{self.uri} answered {name}; check --mirror and what it asks of you.")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in ("text/html", "application/xhtml+xml"):
            raise UnknownFormat(
                f"{self.uri} answered with a web page ({kind}) instead of an archive: if a network "
                "asks you to sign in, do so in a browser; else give another --mirror."
            )

    def _extent(self, response: "httpx.Response") -> tuple[int, int | None]:
        """Return the byte at which the answer begins, and the size of the whole content."""
        length = response.headers.get("content-length", "")
        if response.status_code == 416:
            raise RangeRefused(f"{self.uri} is shorter than what was got of it before.")
        if response.status_code != 206:
            return 0, int(length) if length.isdigit() else None
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if found is None:
            raise Unreachable(f"{self.uri} gave a part without saying which.")
        return int(found["start"]), int(found["size"]) if found["size"] != "*" else None


def _headers(start: int, stop: int | None, version: str) -> dict[str, str]:
    # a compressed transfer would have other lengths and ranges than the archive
    headers = {"Accept-Encoding": "identity", "User-Agent": "fma-genre"}
    if start or stop is not None:
        headers["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
        # a weak validator may not stand in If-Range: the caller compares it
        if version and not version.startswith("W/"):
            headers["If-Range"] = version
    return headers


def _version(headers: Mapping[str, str]) -> str:
    return headers.get("etag") or headers.get("last-modified") or ""


def _reason(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__


@functools.lru_cache(maxsize=4)
def _client(pid: int, stall_limit_s: float) -> "httpx.Client":  # noqa: ARG001
    """Give one client a process (never one inherited by a fork), whose connections are kept."""
    import httpx

    limits = httpx.Timeout(stall_limit_s, connect=CONNECT_LIMIT_S)
    return httpx.Client(timeout=limits, follow_redirects=True)
