"""Who is answered: this machine's own pages, or whoever has the token; and what a page may do."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.serving.served import LOOPBACK

OPEN = ("/", "/page.css", "/page.js", "/icon.svg", "/health", "/docs", "/openapi.json")
"""What is told without a token: nothing of the model, nothing of a song."""
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """An ASGI application that lets others through to the one within, or refuses them.

    Parameters
    ----------
    app : ASGI application
    token : str, optional
        What `Authorization: Bearer …` must say; without it only this machine's own names are
        answered, so that no page of elsewhere reaches it under a name of its own (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, *, token: str | None) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *more]
            await send(message)

        refusal = self._refusal(str(scope["path"]), headers)
        if refusal is None:
            await self._app(scope, receive, send_guarded)
        else:
            await _refuse(*refusal, send_guarded)

    def _refusal(self, path: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self._token is None and _name_of(host) not in LOOPBACK:
            return 403, "this server answers to its own machine's names only, as 127.0.0.1"
        if _is_foreign(headers, host) and (path not in OPEN or "origin" in headers):
            return 403, "pages of other origins are not answered"
        if self._token is not None and path not in OPEN and not self._is_told(headers):
            return 401, "a token is needed: `Authorization: Bearer …`, as `genre serve` printed it"
        return None

    def _is_told(self, headers: Mapping[str, str]) -> bool:
        scheme, _, said = headers.get("authorization", "").partition(" ")
        wanted = (self._token or "").encode()
        return scheme.lower() == "bearer" and hmac.compare_digest(said.strip().encode(), wanted)


def _is_foreign(headers: Mapping[str, str], host: str) -> bool:
    """Whether a page of another origin asks; programs that are no browsers tell nothing of it."""
    if (origin := headers.get("origin")) is not None:
        return origin.partition("://")[2] != host
    return headers.get("sec-fetch-site") in ("cross-site", "same-site")


def _name_of(host: str) -> str:
    """Return a host without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


async def _refuse(status: int, detail: str, send: Send) -> None:
    body = json.dumps({"detail": detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
