"""Backbones at rest: an ONNX file each, and a sealed document on what it is, written last.

backbones/<name>-<8 hex of the file's sha256>.onnx  .json
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256

from storage.errors import Damaged, NameTaken, NotFound, UnknownFormat
from storage.places.location import Location
from storage.proof.documents import is_plain, parse_document, read_bounded
from storage.proof.problems import Problem
from storage.proof.seals import check_document, seal_document

WEIGHTS, DOCUMENT = ".onnx", ".json"
MOST_BYTES = 2**31 - 1
"""Of an ONNX file without external data."""
_MOST_OF_A_DOCUMENT = 2**20


@dataclass(frozen=True, kw_only=True)
class BackboneRecord:
    """What a backbone is.

    Attributes
    ----------
    name : str
        Under which it is a preset.
    sha256 : str
        Of its ONNX file.
    size : int
        Bytes of the same.
    frontend : str
        What its patches are of.
    frames : int
        Of a patch.
    output : str
        The tensor that is kept.
    values : int
        That it gives a patch.
    licence : str
        Its name, or what it says.
    source : str
        Where the weights are from.
    licence_text, citation : str
        In full, where they are known.
    """

    name: str
    sha256: str
    size: int
    frontend: str
    frames: int
    output: str
    values: int
    licence: str
    source: str
    licence_text: str = ""
    citation: str = ""

    @property
    def key(self) -> str:
        """Return the name of its files, without their endings."""
        return f"{self.name}-{self.sha256[:8]}"

    def to_json(self) -> bytes:
        """Write as JSON, the same bytes every time.

        Raises
        ------
        UnknownFormat
            If it could not be read again: a text is not UTF-8, or all of them are too long.
        """
        document = seal_document(asdict(self), of=self.key + DOCUMENT)
        try:
            written = json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"
        except UnicodeEncodeError:
            raise UnknownFormat(
                f"What is said of the backbone {self.key} is not UTF-8: say it in other characters."
            ) from None
        if len(written) > _MOST_OF_A_DOCUMENT:
            raise UnknownFormat(
                f"What is said of the backbone {self.key} has {len(written):,} bytes, and may have "
                f"{_MOST_OF_A_DOCUMENT:,}: say it in fewer words."
            )
        return written


@dataclass(frozen=True)
class Backbones:
    """The backbones of one store.

    Parameters
    ----------
    location : Location
    store : str
        The store's address, for sentences.
    """

    location: Location
    store: str

    def add(self, record: BackboneRecord, weights: bytes) -> bool:
        """Write a backbone; return whether it was not there yet.

        Weights of that name without a document, which a killed command left, are taken away.

        Raises
        ------
        NameTaken
            If another one of that name is there.
        UnknownFormat
            If the record could not be read again.
        ValueError
            If the record is of other weights.
        """
        if (len(weights), sha256(weights).hexdigest()) != (record.size, record.sha256):
            raise ValueError(f"the record of {record.name} is of other weights")
        document = record.to_json()  # before anything is written
        is_new = not self.is_there(record)
        if is_new:
            place = self.weights(record)
            place.make_way()
            place.write_bytes(weights)
            self.document(record.key).write_bytes(document)
        self._sweep(record.name, but=self.names())
        return is_new

    def is_there(self, record: BackboneRecord) -> bool:
        """Whether a backbone is there, whole.

        Raises
        ------
        NameTaken
            If another one of that name is there.
        """
        others = [each for each in self.records() if each.name == record.name]
        if any(each.sha256 != record.sha256 for each in others):
            raise NameTaken(
                f"{self.store} has another backbone {record.name!r} "
                f"(sha256 {others[0].sha256[:16]}…); add this one under another name, or take that "
                f"one away with `genre backbone remove {record.name}`"
            )
        return bool(others) and not self._fault_of_weights(record)

    def remove(self, name: str) -> tuple[Sequence[BackboneRecord], Sequence[str]]:
        """Take a backbone away, its document first; models that were made with it keep theirs.

        What is left of one of that name (weights without a document, or one that cannot be read)
        is taken away, too.

        Returns
        -------
        tuple[sequence of BackboneRecord, sequence of str]
            Those that were removed, and the names of such other files.

        Raises
        ------
        NotFound
            If there is nothing of that name.
        """
        records = [each for each in self.records() if each.name == name]
        for record in records:
            self.document(record.key).delete()
            self.weights(record).delete()
        left = self._sweep(name)
        if not records and not left:
            self.find(name)
        return records, left

    def _sweep(self, name: str, *, but: Sequence[str] = ()) -> list[str]:
        """Take the files of a name away, those of some keys apart; return what they were called."""
        of_name = re.compile(rf"{re.escape(name)}-[0-9a-f]{{8}}")
        found = [
            (self.location / f"{key}{ending}")
            for ending in (DOCUMENT, WEIGHTS)
            for key in self._keys(ending)
            if of_name.fullmatch(key) and key not in but
        ]
        for place in found:
            place.delete()
        return [place.name for place in found]

    def records(self) -> list[BackboneRecord]:
        """List all that can be read, by name."""
        found = []
        for key in self.names():
            try:
                found.append(self.read(key))
            except (Damaged, NotFound):  # `problems` tells
                continue
        return sorted(found, key=lambda each: each.name)

    def find(self, name: str) -> BackboneRecord:
        """Return the backbone of a name.

        Raises
        ------
        NotFound
            If there is none, naming those that are there.
        """
        there = self.records()
        for each in there:
            if each.name == name:
                return each
        names = ", ".join(each.name for each in there) or "none"
        raise NotFound(f"{self.store} has no backbone {name!r} (there: {names})")

    def weights(self, record: BackboneRecord) -> Location:
        """Place the ONNX file of a backbone."""
        return self.location / f"{record.key}{WEIGHTS}"

    def check(self, record: BackboneRecord) -> None:
        """Read the ONNX file, and refuse one that is not the one that was added.

        Raises
        ------
        Damaged
        """
        if fault := self._fault_of_weights(record):
            raise Damaged(f"{fault} `genre backbone add`, as it was added before, writes it again.")

    def problems(self) -> Iterator[Problem]:
        """Say what is not as it was written."""
        documents = self.names()
        for key in documents:
            place = self.document(key)
            try:
                record = self.read(key)
            except (Damaged, NotFound) as error:
                yield Problem(what="backbone damaged", path=place.uri, detail=str(error))
                continue
            if fault := self._fault_of_weights(record):
                path = self.weights(record).uri
                yield Problem(what="backbone damaged", path=path, detail=fault)
        for key in self._keys(WEIGHTS):
            if key not in documents:
                yield Problem(
                    what="backbone damaged",
                    path=self.document(key).uri,
                    detail="It is gone, and with it what the file beside it is.",
                    how=f"genre backbone remove {key.rpartition('-')[0]}",
                )

    def names(self) -> Sequence[str]:
        """List the names of the documents, without their ending."""
        return self._keys(DOCUMENT)

    def _keys(self, ending: str) -> Sequence[str]:
        found = (each.name for each in self.location.list())
        names = (each.removesuffix(ending) for each in found if each.endswith(ending))
        return sorted(name for name in names if is_plain(name))

    def document(self, key: str) -> Location:
        """Place the document of one."""
        return self.location / f"{key}{DOCUMENT}"

    def read(self, key: str) -> BackboneRecord:
        """Read the document of one.

        Raises
        ------
        NotFound, Damaged
        """
        place = self.document(key)
        data = read_bounded(place, most=_MOST_OF_A_DOCUMENT)
        plain = parse_document(data, dict, where=place.uri)
        content = check_document(plain, of=key + DOCUMENT, where=place.uri)
        record = parse_document(json.dumps(content).encode(), BackboneRecord, where=place.uri)
        if record.key != key or not is_plain(record.name):
            raise Damaged(f"{place.uri} is of {record.key!r}.")
        return record

    def _fault_of_weights(self, record: BackboneRecord) -> str:
        place = self.weights(record)
        try:
            content = read_bounded(place, most=min(record.size, MOST_BYTES))
        except NotFound:
            return f"{place.uri} is gone."
        except Damaged as error:
            return str(error)
        if sha256(content).hexdigest() != record.sha256:
            return f"{place.uri} was changed: its sha256 is not the one that was written down."
        return ""
