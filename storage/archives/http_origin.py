"""An archive behind HTTP, one GET a call; RFC 9110 has the rules for ranges and validators."""

import functools
import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from storage.archives.origin import ByteStream, NotConnected, Origin, RangeRefused
from storage.errors import Full, NotFound, Refused, StorageError, UnknownFormat, Unreachable
from storage.places import credentials

if TYPE_CHECKING:
    import httpx

CONNECT_LIMIT_S = 15.0
STALL_LIMIT = "GENRE_STALL_LIMIT"
"""Variable that sets another limit than the next one."""

STALL_LIMIT_S = 60.0
"""Seconds without a byte after which the line counts as broken."""

_CONTENT_RANGE = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<size>\d+|\*)")
_PASSING = {408, 421, 425, 429}


@dataclass(frozen=True)
class HttpOrigin(Origin):
    """A content behind `http://` or `https://`.

    Parameters
    ----------
    address : str
        Without user, password, query and fragment: it is shown.
    stall_limit_s : float
        Seconds without a byte after which a try is given up.
    login : str
        `user:password` where the server asks for one (RFC 7617); never shown, and a pickle holds
        its name only.
    """

    address: str
    stall_limit_s: float = STALL_LIMIT_S
    login: str = field(default="", repr=False)

    @staticmethod
    def parse(address: str, login: str = "") -> "HttpOrigin":
        """Check an address.

        Parameters
        ----------
        address : str
            A login in it goes before `login`.
        login : str

        Raises
        ------
        UnknownFormat
            If it names no host, or has a query or a fragment; the message shows no secret.
        """
        import httpx

        plain, found = split_login(address)
        if "?" in plain or "#" in plain:
            start = re.split(r"[?#]", plain)[0]
            raise UnknownFormat(
                f"{start!r} is followed by a query or a fragment (not shown), which the address of "
                "an archive cannot have: give http://host/folder."
            )
        try:
            host = httpx.URL(plain).host
        except httpx.InvalidURL:
            host = ""
        if not host or "@" in plain:
            # an `@` that is left comes after a `/` in a password
            shown = "An address with a login (not shown)" if "@" in address else repr(plain)
            raise UnknownFormat(f"{shown} names no host: give http://host/folder.")
        return HttpOrigin(plain, _stall_limit_s(), found or login)

    def __reduce__(self) -> tuple[object, ...]:
        sign = credentials.travelling(self.login)
        return _arrived, (self.address, self.stall_limit_s, sign)

    @property
    def uri(self) -> str:
        """The address."""
        return self.address

    @contextmanager
    def open(
        self, start: int = 0, *, stop: int | None = None, etag: str = ""
    ) -> Iterator[ByteStream]:
        """Send one GET, and check that its answer is what was asked for."""
        import httpx

        headers = _headers(start, stop, etag)
        client = _client(os.getpid(), self.stall_limit_s)
        user, _, password = self.login.partition(":")
        login = httpx.BasicAuth(user, password) if self.login else None
        try:
            with client.stream("GET", self.address, headers=headers, auth=login) as response:
                self._check(response)
                begins, size = self._extent(response)
                # pieces as they arrive: what waits for a larger one is lost when the line breaks
                yield ByteStream(
                    start=begins,
                    size=size,
                    etag=_etag(response.headers),
                    pieces=response.iter_raw(),
                )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            kind, reason = _explained(error)
            raise kind(f"{self.uri} {reason}.") from error

    def _check(self, response: "httpx.Response") -> None:
        status, name = response.status_code, f"{response.status_code} {response.reason_phrase}"
        if status in (404, 410):
            raise NotFound(
                f"{self.uri} is not there ({name}); check --mirror (archives are at URL/NAME.zip)."
            )
        if status in _PASSING or status >= 500:
            if status == 507:
                raise Full(f"{self.uri} answered {name}.")
            raise Unreachable(f"{self.uri} answered {name}.", wait_s=_wait_s(response.headers))
        if status == 401:
            raise Refused(
                f"{self.uri} answered {name}; give the right login, as --mirror "
                "http://user:password@host/folder."
            )
        if 300 <= status < 400:
            raise Refused(
                f"{self.uri} answered {name} without saying where to; give another --mirror."
            )
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
            raise RangeRefused(f"{self.uri} gives no bytes from there on.")
        if response.status_code != 206:
            return 0, int(length) if length.isdigit() else None
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if found is None:
            raise RangeRefused(f"{self.uri} gives parts without saying which.")
        return int(found["start"]), int(found["size"]) if found["size"] != "*" else None


def _arrived(address: str, stall_limit_s: float, sign: str) -> HttpOrigin:
    login = credentials.arrived(sign, where=address) if sign else ""
    assert isinstance(login, str)
    return HttpOrigin(address, stall_limit_s, login)


def split_login(address: str) -> tuple[str, str]:
    """Take `user:password` out of an address; it is percent-encoded there, or as it is.

    Examples
    --------
    >>> split_login("http://me:p%40ss@host/fma")
    ('http://host/fma', 'me:p@ss')
    >>> split_login("http://host/fma")
    ('http://host/fma', '')
    """
    scheme, separator, rest = address.partition("://")
    place, slash, path = rest.partition("/")
    login, _, host = place.rpartition("@")
    return f"{scheme}{separator}{host}{slash}{path}", unquote(login)


def _stall_limit_s() -> float:
    given = os.environ.get(STALL_LIMIT, "")
    try:
        limit_s = float(given or STALL_LIMIT_S)
    except ValueError:
        limit_s = 0.0
    if not 0 < limit_s < float("inf"):
        raise UnknownFormat(f"{STALL_LIMIT} is {given!r}; give seconds, as 60.")
    return limit_s


def _headers(start: int, stop: int | None, etag: str) -> dict[str, str]:
    # a compressed transfer would have other lengths and ranges than the archive
    headers = {"Accept-Encoding": "identity", "User-Agent": "fma-genre"}
    if start or stop is not None:
        headers["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
        # a weak validator may not stand in If-Range: the caller compares it
        if etag and not etag.startswith("W/"):
            headers["If-Range"] = etag
    return headers


def _wait_s(headers: Mapping[str, str]) -> float | None:
    """Return how long the server asks to wait (`Retry-After`: seconds, or a date), None if not."""
    asked = headers.get("retry-after", "").strip()
    if not asked:
        return None
    if asked.isdigit():
        return float(asked)
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
    except ValueError:
        return None


def _etag(headers: Mapping[str, str]) -> str:
    return headers.get("etag") or headers.get("last-modified") or ""


def _explained(error: Exception) -> tuple[type[StorageError], str]:
    """Say which error of ours one of httpx is; the more special ones come first."""
    import httpx

    reason = str(error).strip().rstrip(".") or type(error).__name__
    kinds: list[tuple[type[Exception], type[StorageError], str]] = [
        (httpx.InvalidURL, UnknownFormat, f"is no address ({reason})"),
        (httpx.UnsupportedProtocol, UnknownFormat, "leads to an address that is not HTTP"),
        (httpx.TooManyRedirects, Refused, "redirects in a circle; give another --mirror"),
        (httpx.ConnectTimeout, NotConnected, "gave no connection within the time limit"),
        (httpx.TimeoutException, Unreachable, "gave no byte within the time limit"),
        (httpx.ConnectError, NotConnected, f"does not answer: {reason}"),
        (httpx.HTTPError, Unreachable, f"broke off: {reason}"),
    ]
    return next((ours, what) for kind, ours, what in kinds if isinstance(error, kind))


@functools.lru_cache(maxsize=4)
def _client(pid: int, stall_limit_s: float) -> "httpx.Client":  # noqa: ARG001
    """Give one client a process (never one inherited by a fork), whose connections are kept."""
    import httpx

    limits = httpx.Timeout(stall_limit_s, connect=CONNECT_LIMIT_S)
    return httpx.Client(timeout=limits, follow_redirects=True)
