"""Options of which one leaves the other without use: refused where both stand on the command line.

The environment sets options of all commands, so that what it says gives way.
"""

from __future__ import annotations

from collections.abc import Collection

from flows.errors import UsageError

_CONTRADICTIONS = (
    ("catalogue", "data", "--catalogue names the tracks, and so does --data"),
    ("catalogue", "subset", "--catalogue names the tracks, of whatever subset"),
    ("scheduler", "workers", "--scheduler joins a cluster, which has workers of its own"),
    ("print_config", "as_json", "--print-config writes TOML"),
    ("as_json", "as_jsonl", "--json writes one object, --jsonl one a line"),
    ("stream", "archives", "--stream keeps no archive"),
)


def refuse_contradictions(said: Collection[str]) -> None:
    """Refuse two options of which only one could be heard.

    Parameters
    ----------
    said : collection of str
        The parameters whose options stand on the command line.

    Raises
    ------
    UsageError
    """
    for one, other, why in _CONTRADICTIONS:
        if one in said and other in said:
            raise UsageError(f"{why}; leave {_flag(one)} or {_flag(other)} out")


def _flag(name: str) -> str:
    return "--" + name.removeprefix("as_").replace("_", "-")
