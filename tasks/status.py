"""What a store holds, with what is known of its data sets; imports no Prefect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from genre_model.data.known_defects import DefectReport
from storage.claims import ClaimRecord
from storage.proof.problems import Problem
from storage.store import Store
from storage.summary import StoreSummary
from tasks.known_defects import report_known_defects


@dataclass(frozen=True, kw_only=True)
class StoreStatus:
    """What a store holds.

    Attributes
    ----------
    summary : StoreSummary
    known_defects : Mapping[str, DefectReport | None]
        Key of an array -> how it agrees with what is known of its data set, None where nothing is.
    problems : tuple[tuple[str, Problem], ...] or None
        Key of an array (or name of another thing) and what is not as it was written; None where
        nobody looked.
    being_written : Mapping[str, str]
        Key of a thing -> by whom it was being written meanwhile, in a sentence.
    """

    summary: StoreSummary
    known_defects: Mapping[str, DefectReport | None] = field(default_factory=dict)
    problems: tuple[tuple[str, Problem], ...] | None = None
    being_written: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """Return the JSON object of `genre status`."""
        features = [
            {**asdict(each), "known_defects": report.to_dict() if report else None}
            for each in self.summary.features
            for report in [self.known_defects.get(each.key)]
        ]
        found = {**self.summary.to_dict(), "features": features}
        if self.problems is None:
            return found
        problems = [{"thing": key, **problem.to_dict()} for key, problem in self.problems]
        written = [{"thing": key, "detail": said} for key, said in self.being_written.items()]
        return {**found, "problems": problems, "being_written": written}


def describe_store(store: Store, *, verify: bool = False) -> StoreStatus:
    """Gather what a store holds.

    Parameters
    ----------
    store : Store
    verify : bool
        Read every byte of the store, and list what is not as it was written.
    """
    summary = store.status()
    readable = [tuple(each.key.split("/", 1)) for each in summary.features]
    arrays = [store.features.open(data_set=data_set, name=name) for data_set, name in readable]
    writers: dict[str, str] = {}
    return StoreStatus(
        summary=summary,
        known_defects={array.key: report_known_defects(store, array) for array in arrays},
        problems=tuple(_problems(store, summary, writers)) if verify else None,
        being_written=writers,
    )


def _problems(
    store: Store, summary: StoreSummary, writers: dict[str, str]
) -> list[tuple[str, Problem]]:
    """List what is not as it was written, and what else cannot be read.

    Who writes a thing meanwhile is noted in `writers`.
    """

    def note(thing: str, writer: ClaimRecord) -> None:
        writers[thing] = f"being written by {writer.who}; what of it is open is not judged"

    problems = store.verify(on_writer=note)
    told = {key for key, _ in problems}
    return problems + [
        (each.key, Problem(what="unreadable", detail=each.detail, path=each.path))
        for each in summary.unreadable
        if each.key not in told
    ]
