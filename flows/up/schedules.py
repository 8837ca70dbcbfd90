"""When deployments start by themselves: prefect.yaml's schedules, with the user's hour and zone."""

from __future__ import annotations

import difflib
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows.errors import UsageError

NIGHTLY = "nightly"
"""The slug of the schedule whose hour may be chosen."""
_CRON_FIELDS, _HOURS = 5, 24


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a deployment starts by itself.

    Attributes
    ----------
    cron : str
        Minute, hour, day, month, day of the week.
    timezone : str
        In which they are read, as `Europe/Zurich`.
    """

    cron: str
    timezone: str

    def __str__(self) -> str:
        return f"{self.cron} {self.timezone}"


def check_timezone(name: str) -> None:
    """Refuse what is no time zone of the IANA's data base.

    Raises
    ------
    UsageError
        With the names that are like it.
    """
    known = zoneinfo.available_timezones()
    if name in known:
        return
    raise UsageError(
        f"--timezone is {name!r}, which is no time zone; name one as {_like(name, known)}"
    )


def read_hour(text: str) -> int:
    """Read an hour of the day.

    Raises
    ------
    UsageError
        If it is no whole number from 0 to 23.
    """
    if text.isascii() and text.isdecimal() and int(text) < _HOURS:
        return int(text)
    raise UsageError(f"--hour is {text!r}, which is no hour; name a whole number from 0 to 23")


def of(deployment: Mapping[str, Any]) -> dict[str, Schedule]:
    """Read a deployment's cron schedules, as prefect.yaml has them: slug -> schedule."""
    return {
        each["slug"]: Schedule(cron=each["cron"], timezone=each.get("timezone", "UTC"))
        for each in deployment.get("schedules", ())
        if "slug" in each and "cron" in each
    }


def nightly(content: Mapping[str, Any]) -> Schedule | None:
    """Return the schedule of the nightly run in the content of prefect.yaml, None without one."""
    found = [of(each).get(NIGHTLY) for each in content["deployments"]]
    return next(filter(None, found), None)


def move(content: Mapping[str, Any], *, timezone: str | None, hour: int | None) -> None:
    """Change the content of prefect.yaml: the zone of all schedules, the hour of the nightly run.

    Parameters
    ----------
    content : Mapping
    timezone : str, optional
        Kept as it is if None.
    hour : int, optional [0 to 23]
        Kept as it is if None.

    Raises
    ------
    UsageError
        If there is no schedule whose hour could be changed.
    """
    for schedule in _schedules(content):
        if timezone is not None and "cron" in schedule:
            schedule["timezone"] = timezone
    if hour is None:
        return
    movable = [each for each in _schedules(content) if each.get("slug") == NIGHTLY]
    for schedule in movable:
        fields = str(schedule.get("cron", "")).split()
        if len(fields) != _CRON_FIELDS:
            raise UsageError(
                f"--hour is {hour}, but the schedule {NIGHTLY} of prefect.yaml is "
                f"{schedule.get('cron')!r}; write the hour there"
            )
        schedule["cron"] = " ".join((fields[0], str(hour), *fields[2:]))
    if not movable:
        raise UsageError(
            f"--hour is {hour}, but prefect.yaml has no schedule {NIGHTLY}; leave --hour out"
        )


def _schedules(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for deployment in content["deployments"]:
        yield from deployment.get("schedules", ())


def _like(name: str, known: Iterable[str]) -> str:
    """Name the zones that look like it, by their whole names and by their cities."""
    by_word = {
        word: zone for zone in sorted(known) for word in (zone.lower(), zone.lower().split("/")[-1])
    }
    close = difflib.get_close_matches(name.lower(), by_word, n=3)
    return " or ".join(dict.fromkeys(by_word[word] for word in close)) or "Europe/Zurich or UTC"
