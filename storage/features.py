"""The arrays of features of a store."""

from __future__ import annotations

from dataclasses import dataclass

from storage.array.feature_array import FeatureArray
from storage.array.layout import ArrayLayout, Attributes
from storage.array.mending import mend
from storage.errors import Mismatched, NotFound
from storage.places.location import Location
from storage.proof.documents import check_plain
from storage.proof.problems import Problem


@dataclass(frozen=True)
class Features:
    """The arrays of one store, `features/<data set>/<preset>-<digest>`.

    Parameters
    ----------
    location : Location
    store : str
        The store's address, for sentences.
    """

    location: Location
    store: str

    def create(
        self, *, data_set: str, name: str, layout: ArrayLayout, attributes: Attributes
    ) -> FeatureArray:
        """Open an array, making its group if there is none; see `FeatureArray.create`."""
        return FeatureArray.create(
            self.place(data_set, name),
            data_set=data_set,
            name=name,
            layout=layout,
            attributes=attributes,
        )

    def check_free(
        self, *, data_set: str, name: str, layout: ArrayLayout, attributes: Attributes
    ) -> None:
        """Refuse what `create` would refuse, and write nothing."""
        FeatureArray.check_free(
            self.place(data_set, name), data_set=data_set, layout=layout, attributes=attributes
        )

    def mend(
        self, *, data_set: str, name: str, layout: ArrayLayout, attributes: Attributes
    ) -> list[Problem]:
        """Mend what is damaged of an array and can be made again; see `storage.array.mending`."""
        place = self.place(data_set, name)
        array = FeatureArray(location=place, data_set=data_set, name=name, layout=layout)
        return mend(array, attributes)

    def open(self, *, data_set: str, name: str) -> FeatureArray:
        """Open an array that is there; see `FeatureArray.open`."""
        return FeatureArray.open(self.place(data_set, name), data_set=data_set, name=name)

    def claim_name(self, *, data_set: str, name: str) -> str:
        """Name what whoever writes the array claims."""
        return f"features/{data_set}/{name}"

    def names(self) -> list[tuple[str, str]]:
        """List the arrays there are, as (data set, name).

        A folder whose description a killed run had not yet written is none: it holds no feature.
        """
        return [
            (data_set, name)
            for data_set in self.location.folders()
            for name in (self.location / data_set).folders()
            if FeatureArray.is_at(self.location / data_set / name)
        ]

    def undescribed(self) -> list[tuple[str, str]]:
        """List the arrays that have plans and no description: that was lost."""
        return [
            (data_set, name)
            for data_set in self.location.folders()
            for name in (self.location / data_set).folders()
            if not FeatureArray.is_at(self.location / data_set / name)
            and (self.location / data_set / name / "plans").list()
        ]

    def find(self, preset: str, *, data_set: str | None = None) -> FeatureArray:
        """Open the one array of a preset.

        Parameters
        ----------
        preset : str
            The preset's name, or the full `<preset>-<digest>` where there are several.
        data_set : str, optional
            Needed only where several data sets have this preset.

        Raises
        ------
        NotFound
            If there is no such array; it names those there are.
        Mismatched
            If there are several.
        """
        there = self.names()
        fitting = [
            (found, name)
            for found, name in there
            if data_set in (None, found) and preset in (name, name.rpartition("-")[0])
        ]
        if len(fitting) == 1:
            return self.open(data_set=fitting[0][0], name=fitting[0][1])
        names = ", ".join("/".join(pair) for pair in (fitting or there)) or "none"
        if fitting:
            raise Mismatched(
                f"{self.store} has several arrays of preset {preset!r}: name one of {names}."
            )
        raise NotFound(f"{self.store} has no features of preset {preset!r} (there are: {names}).")

    def place(self, data_set: str, name: str) -> Location:
        """Place one array.

        Raises
        ------
        Damaged
            If one of the names leads elsewhere.
        """
        for part in (data_set, name):
            check_plain(part, what="the name of a data set or of its features")
        return self.location / data_set / name
