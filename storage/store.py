"""A store: the one door to everything in it.

store.json
catalogues/<id>.parquet
features/<data set>/<preset>-<digest>/   zarr.json  <array>/  plans/  manifests/  *.parquet
models/<model id>/
predictions/<model id>/<folder>-<hash>.parquet
sweeps/<sweep id>/results.parquet
champion.json
tags/<folder>-<hash>.parquet
claims/<what>.json
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from storage.backbones import Backbones
from storage.claims import Claim, ClaimRecord, living_holder, read_claims
from storage.errors import AlreadyThere, Damaged, NoStore, NotFound, UnknownFormat
from storage.models import MODEL_FILE, Models
from storage.places.address import parse_location
from storage.places.location import Location
from storage.places.options import StorageOptions
from storage.proof.documents import MOST_BYTES, parse_document, read_bounded
from storage.proof.problems import Problem

# What holds tables imports pandas (2 s): whoever opens a model to predict needs none of it.
if TYPE_CHECKING:
    from storage.array.feature_array import FeatureArray
    from storage.catalogues import Catalogues
    from storage.features import Features
    from storage.predictions import Predictions
    from storage.summary import StoreSummary
    from storage.sweeps import Sweeps
    from storage.tags import Tags

FORMAT = 1
"""Of store.json; another number is refused."""

DESCRIPTION, MODELS = "store.json", "models"

Address = str | os.PathLike[str] | Location


@dataclass(frozen=True)
class Store:
    """A folder or bucket prefix with a store.json; made once a flow, and handed on.

    Small and immutable; it travels between processes.

    Parameters
    ----------
    location : Location
    """

    location: Location

    @classmethod
    def create(cls, address: Address, options: StorageOptions | None = None) -> Store:
        """Open a store, making it if there is none.

        Parameters
        ----------
        address : str | os.PathLike | Location
            A folder, or `s3://bucket/prefix`.
        options : Mapping, optional
            Of s3:// addresses; those of the environment by default.

        Raises
        ------
        UnknownFormat
            If it was made by a version with another layout.
        """
        location = parse_location(address, options)
        try:
            return cls.open(location)
        except NotFound:
            try:
                (location / DESCRIPTION).create(_DOCUMENT)
            except AlreadyThere:
                return cls.open(location)
        return cls(location)

    @classmethod
    def mend(cls, address: Address, options: StorageOptions | None = None) -> Store:
        """Open a store as `create` does, and write its store.json anew if that is damaged."""
        location = parse_location(address, options)
        try:
            store = cls.create(location)
        except Damaged:
            store = cls(location)
        if list(store._description_problems()):
            (location / DESCRIPTION).make_way()
            (location / DESCRIPTION).write_bytes(_DOCUMENT)
        return store

    @classmethod
    def look(cls, address: Address, options: StorageOptions | None = None) -> Store:
        """Open a store to be looked at: also one whose store.json is damaged or gone.

        Raises
        ------
        NotFound
            If nothing of a store lies there.
        UnknownFormat
            If it was made by a version with another layout.
        """
        location = parse_location(address, options)
        try:
            return cls.open(location)
        except Damaged:
            return cls(location)
        except NotFound:
            if not {"features", MODELS, "catalogues"} & set(location.folders()):
                raise
            return cls(location)

    @classmethod
    def open(cls, address: Address, options: StorageOptions | None = None) -> Store:
        """Open a store that is there.

        Parameters
        ----------
        address, options
            As for `create`.

        Raises
        ------
        NotFound
            If there is none.
        UnknownFormat
            If it was made by a version with another layout.
        Damaged
            If its store.json is none.
        """
        location = parse_location(address, options)
        try:
            text = (location / DESCRIPTION).read_first(MOST_BYTES)
        except NotFound:
            raise NotFound(
                f"There is no store at {location.uri} (it has no store.json); name another "
                "--store, or make one with `genre run` or `genre features`."
            ) from None
        _check_format(text, location)
        return cls(location)

    @classmethod
    def is_at(cls, address: Address, options: StorageOptions | None = None) -> bool:
        """Whether a store lies there, of whatever version."""
        return (parse_location(address, options) / DESCRIPTION).exists_first()

    @classmethod
    def of_model(
        cls, address: str, options: StorageOptions | None = None
    ) -> tuple[Store, str | None]:
        """Take the address of a store, of a model in one, or of its model file apart.

        Returns
        -------
        tuple[Store, str | None]
            The model's id; None where the address is the store's own.

        Raises
        ------
        NotFound
            If there is no store.
        """
        text = address.rstrip("/").removesuffix(f"/{MODEL_FILE}")
        before, separator, name = text.rpartition(f"/{MODELS}/")
        if separator and "/" not in name and not cls.is_at(text, options):
            return cls.open(before, options), name
        return cls.open(text, options), None

    @property
    def uri(self) -> str:
        """The address."""
        return self.location.uri

    @property
    def catalogues(self) -> Catalogues:
        """The catalogues."""
        from storage.catalogues import Catalogues

        return Catalogues(self.location / "catalogues", store=self.uri)

    @property
    def features(self) -> Features:
        """The arrays of features."""
        from storage.features import Features

        return Features(self.location / "features", store=self.uri)

    @property
    def models(self) -> Models:
        """The models, and the champion among them."""
        return Models(self.location / MODELS, self.location / "champion.json", store=self.uri)

    @property
    def backbones(self) -> Backbones:
        """The frozen nets that features can be made with."""
        return Backbones(self.location / "backbones", store=self.uri)

    @property
    def tags(self) -> Tags:
        """What files of data folders say of themselves."""
        from storage.tags import Tags

        return Tags(self.location / "tags")

    @property
    def predictions(self) -> Predictions:
        """The tables of predictions."""
        from storage.predictions import Predictions

        return Predictions(self.location / "predictions")

    @property
    def sweeps(self) -> Sweeps:
        """The tables of sweeps."""
        from storage.sweeps import Sweeps

        return Sweeps(self.location / "sweeps")

    def claim(self, what: str, *, say: Callable[[str], None] | None = None) -> Claim:
        """Give the right to write one thing, to be held by `with`; see `storage.claims.Claim`.

        Parameters
        ----------
        what : str
            For example `models/default-1a2b3c4d`.
        say : callable, optional
            Called with a sentence that names a holder that is waited for.
        """
        return Claim(self.location, what, say=say)

    def status(self) -> StoreSummary:
        """Gather what the store holds, reading tables and listings but no array.

        What cannot be read is named, and stops nothing else.
        """
        from storage.summary import Reader, StoreSummary, Unreadable

        lost = [
            Unreadable(key=key, path=problem.path, detail=problem.detail)
            for key, problem in self._description_problems()
        ]
        reader = Reader()
        champion = reader.champion(self.models)
        return StoreSummary(
            store=self.uri,
            catalogues=reader.catalogues(self.catalogues),
            features=reader.features(self.features),
            models=reader.models(self.models, champion=champion),
            predictions=reader.predictions(self.predictions),
            backbones=reader.backbones(self.backbones),
            sweeps=reader.sweeps(self.sweeps),
            champion=champion,
            claims=tuple(record.sentence for record in read_claims(self.location).values()),
            unreadable=(*lost, *reader.unreadable),
        )

    def verify(
        self, *, on_writer: Callable[[str, ClaimRecord], None] | None = None
    ) -> list[tuple[str, Problem]]:
        """Read everything, and name what is not as it was written.

        Parameters
        ----------
        on_writer : callable, optional
            Told of a thing that another process writes meanwhile, and by whom: what of it is not
            done yet is not judged.

        Returns
        -------
        list[tuple[str, Problem]]
            The thing (an array's key, or another thing's name below the store) and what is wrong
            with it; each address once.
        """
        from storage import proving

        tell = on_writer or _tell_nobody
        found = [
            *self._description_problems(),
            *proving.catalogue_problems(self.catalogues, self.models),
            *proving.undescribed_problems(self.features),
            *self._array_problems(tell),
            *self._model_problems(tell),
            *proving.prediction_problems(self.predictions),
            *proving.sweep_problems(self.sweeps),
            *proving.backbone_problems(self.backbones),
            *proving.tag_problems(self.tags),
        ]
        paths = {problem.path for _, problem in found}
        strange = proving.strange_problems(self.location)
        return found + [each for each in strange if each[1].path not in paths]

    def _description_problems(self) -> Iterator[tuple[str, Problem]]:
        place = self.location / DESCRIPTION
        try:
            found = read_bounded(place)
            _check_format(found, self.location)
            if found != _DOCUMENT:
                raise Damaged("It is not written as it was.")
        except (NotFound, Damaged) as error:
            yield (
                DESCRIPTION,
                Problem(what="store description", detail=str(error), path=place.uri),
            )

    def _model_problems(
        self, tell: Callable[[str, ClaimRecord], None]
    ) -> Iterator[tuple[str, Problem]]:
        from storage.proving import model_problems

        for key, problem in model_problems(self.models):
            holder = living_holder(self.location, key)
            if holder is None:
                yield key, problem
            else:
                tell(key, holder)

    def _array_problems(
        self, tell: Callable[[str, ClaimRecord], None]
    ) -> Iterator[tuple[str, Problem]]:
        from storage.array.second_look import verify_as_it_is_written

        for data_set, name in self.features.names():
            place = self.features.location / data_set / name
            try:
                array = self.features.open(data_set=data_set, name=name)
            except (Damaged, UnknownFormat) as error:
                path = (place / "zarr.json").uri
                problem = Problem(what="group metadata", detail=str(error), path=path)
                yield f"{data_set}/{name}", problem
            else:
                writer = partial(self._writer, array, tell)
                found = verify_as_it_is_written(array, is_written=writer)
                yield from ((array.key, each) for each in found)

    def _writer(self, array: FeatureArray, tell: Callable[[str, ClaimRecord], None]) -> bool:
        what = self.features.claim_name(data_set=array.data_set, name=array.name)
        holder = living_holder(self.location, what)
        if holder is not None:
            tell(array.key, holder)
        return holder is not None

    def sweep(self) -> int:
        """Delete what killed writers left under temporary names, and count it."""
        return self.location.sweep()


_DOCUMENT = json.dumps({"format": FORMAT}).encode() + b"\n"


def _tell_nobody(thing: str, writer: ClaimRecord) -> None:
    """Drop it."""


@dataclass(frozen=True)
class _Description:
    format: object


def _check_format(text: bytes, location: Location) -> None:
    where = (location / DESCRIPTION).uri
    try:
        found = parse_document(text, _Description, where=where).format
    except Damaged:
        raise NoStore(
            f"{where} is not the description of a store; `genre features --verify` writes it "
            "again, or name another --store."
        ) from None
    if found != FORMAT:
        raise UnknownFormat(
            f"The store {location.uri} has format {found!r}, this version knows {FORMAT}: "
            "use the version that made it, or name another --store."
        )
