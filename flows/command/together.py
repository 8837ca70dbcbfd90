"""Options of which one leaves the other without use: refused where both stand on the command line.

The environment sets options of all commands, so that what it says gives way.
"""

from __future__ import annotations

from collections.abc import Collection

from flows.errors import UsageError

_OF_DATA = ("layout", "split_by", "genre_map", "min_tracks")
_CONTRADICTIONS = (
    ("catalogue", "data", "--catalogue names the tracks, and so does --data"),
    ("catalogue", "subset", "--catalogue names the tracks, of whatever subset"),
    ("catalogue", "layout", "--catalogue names the tracks, of whatever layout"),
    ("catalogue", "split_by", "--catalogue names the tracks with their splits"),
    ("catalogue", "genre_map", "--catalogue names the tracks with their genres"),
    ("catalogue", "min_tracks", "--catalogue names the tracks, of whatever genres"),
    ("catalogue", "verify", "--catalogue shows one, and --verify reads the whole store"),
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


def refuse_without_data(said: Collection[str]) -> None:
    """Refuse options on how a data folder is read where none is named.

    Parameters
    ----------
    said
        As for `refuse_contradictions`.

    Raises
    ------
    UsageError
    """
    useless = [_flag(name) for name in _OF_DATA if name in said]
    if useless:
        raise UsageError(
            f"{' and '.join(useless)} tells how --data is read; name --data, or leave "
            f"{'it' if len(useless) == 1 else 'them'} out"
        )


def refuse_without_robustness(said: Collection[str]) -> None:
    """Refuse options of the workers that hear disturbed clips where none are to be heard.

    Parameters
    ----------
    said
        As for `refuse_contradictions`.

    Raises
    ------
    UsageError
    """
    useless = [_flag(name) for name in ("workers", "scheduler") if name in said]
    if useless and "robustness" not in said:
        raise UsageError(
            f"{useless[0]} tells where disturbed clips are heard; add --robustness, or leave "
            f"{useless[0]} out"
        )


def _flag(name: str) -> str:
    return "--" + name.removeprefix("as_").replace("_", "-")
