"""Catalogues at rest: one parquet table each, immutable, with what made it in its metadata."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from storage.errors import Damaged, NotFound
from storage.places.location import Location
from storage.proof.documents import check_plain, is_plain
from storage.tables import read_table, write_table

_SUFFIX = ".parquet"


@dataclass(frozen=True)
class Catalogues:
    """The catalogues of one store.

    Parameters
    ----------
    location : Location
    store : str
        The store's address, for sentences.
    """

    location: Location
    store: str

    def write(
        self, catalogue_id: str, tracks: pd.DataFrame, *, attributes: Mapping[str, Any]
    ) -> str:
        """Write a catalogue, unless it is there: its id is the hash of its content.

        Parameters
        ----------
        catalogue_id : str
            `<data set>-<8 hex digits>`.
        tracks : pd.DataFrame
            One line a track.
        attributes : Mapping
            JSON values that come back as `DataFrame.attrs`, besides the time of writing.

        Returns
        -------
        str
            A sentence on what lay there and was not as it had been written; empty if none did.
        """
        place, fault = self.place(catalogue_id), ""
        try:
            read_table(place, must_be_sealed=True)
            return ""
        except NotFound:
            pass
        except Damaged as error:
            fault = f"{error} It was written again."
            place.make_way()
        frame = tracks.copy()
        frame.attrs.update(attributes)
        frame.attrs["written"] = datetime.now(UTC).isoformat()
        write_table(place, frame)
        return fault

    def fault(self, catalogue_id: str) -> str:
        """Say what is wrong with a catalogue; nothing if it is as it was written."""
        try:
            read_table(self.place(catalogue_id), must_be_sealed=True)
        except (Damaged, NotFound) as error:
            return str(error)
        return ""

    def read(self, catalogue_id: str) -> pd.DataFrame:
        """Read a catalogue; its attributes are the frame's `attrs`.

        Raises
        ------
        NotFound
            If there is none of that id, naming those that are there.
        Damaged
            If it is not as it was written.
        """
        try:
            return read_table(self.place(catalogue_id))
        except Damaged as error:
            raise Damaged(
                f"{error} `genre features --verify` with its --data writes it again."
            ) from error
        except NotFound:
            there = ", ".join(self.ids()) or "none"
            raise NotFound(
                f"there is no catalogue {catalogue_id!r} in {self.store} (there: {there})"
            ) from None

    def ids(self) -> list[str]:
        """List the catalogues' ids, sorted."""
        return _ids(entry.name for entry in self.location.list())

    def places(self) -> list[str]:
        """List the ids of all that lies there, also of what is no file, sorted."""
        found = self.location.walk()
        names = {each.name for each in found.files} | {each.path for each in found.passed_by}
        return _ids(sorted(names | set(self.location.folders())))

    def of_data_set(self, data_set: str) -> list[pd.DataFrame]:
        """Read a data set's catalogues, newest first; damaged ones are passed over."""
        found = []
        for catalogue_id in self.ids():
            if catalogue_id.rpartition("-")[0] == data_set:
                with contextlib.suppress(NotFound, Damaged):
                    found.append(self.read(catalogue_id))
        return sorted(found, key=lambda each: str(each.attrs.get("written", "")), reverse=True)

    def newest(self, *, data: str | None = None, subset: str | None = None) -> str:
        """Name the catalogue that was written last.

        Parameters
        ----------
        data : str, optional
            Address of the data folder that it must be of.
        subset : str, optional
            Name of the subset that it must be.

        Raises
        ------
        NotFound
            If there is none.
        """
        ids = self.ids()
        wanted = {"data": data, "subset": subset}
        given = {name: value for name, value in wanted.items() if value is not None}
        if len(ids) == 1 and not given:
            return ids[0]
        attributes = {name: self.read(name).attrs for name in ids}
        fitting = [name for name in ids if given.items() <= attributes[name].items()]
        if not fitting:
            of_subset = f" of the subset {subset!r}" if subset else ""
            of_data = f" of {data}" if data else ""
            there = f" (there: {', '.join(ids)})" if ids else ""
            raise NotFound(
                f"{self.store} has no catalogue{of_subset}{of_data}{'' if given else ' yet'}"
                f"{there}; run `genre features` first"
            )
        return max(fitting, key=lambda name: str(attributes[name].get("written", "")))

    def place(self, catalogue_id: str) -> Location:
        """Place one catalogue.

        Raises
        ------
        Damaged
            If its id leads elsewhere.
        """
        check_plain(catalogue_id, what="a catalogue's id")
        return self.location / f"{catalogue_id}{_SUFFIX}"


def _ids(names: Iterable[str]) -> list[str]:
    found = (name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))
    return [name for name in found if is_plain(name)]
