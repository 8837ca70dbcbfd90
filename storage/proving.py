"""Whether all of a store but its arrays is as it was written; for `genre status --verify`."""

from collections.abc import Iterator, Mapping

from storage.backbones import Backbones
from storage.catalogues import Catalogues
from storage.errors import Damaged, NotFound
from storage.features import Features
from storage.models import Models
from storage.places.listing import Reason
from storage.places.location import Location
from storage.predictions import Predictions
from storage.proof.problems import Problem
from storage.sweeps import Sweeps
from storage.tags import Tags


def catalogue_problems(catalogues: Catalogues, models: Models) -> Iterator[tuple[str, Problem]]:
    """Name the catalogues that are not as written, or that a model tells of and are gone."""
    told = _catalogues_of(models)
    there = catalogues.places()
    for name in sorted({*there, *told}):
        if name in there:
            what, detail = "catalogue damaged", catalogues.fault(name)
        else:
            what, detail = "catalogue missing", f"It is gone; {told[name]} was trained with it."
        if detail:
            path = catalogues.place(name).uri
            yield f"catalogues/{name}", Problem(what=what, detail=detail, path=path)  # type: ignore[arg-type]


def undescribed_problems(features: Features) -> Iterator[tuple[str, Problem]]:
    """Name the arrays whose description is gone."""
    for data_set, name in features.undescribed():
        place = features.location / data_set / name / "zarr.json"
        detail = "It is gone, and plans are there."
        yield f"{data_set}/{name}", Problem(what="group metadata", detail=detail, path=place.uri)


def model_problems(models: Models) -> Iterator[tuple[str, Problem]]:
    """Name the files of models and evaluations, and the champion, that are not as published."""
    for name in models.list():
        key = f"models/{name}"
        yield from ((key, each) for each in models.problems(name))
        for split in (models.location(name) / "evaluation").folders():
            yield from ((key, each) for each in models.evaluation_problems(name, split))
    yield from (("champion.json", each) for each in models.champion_problems())


def prediction_problems(predictions: Predictions) -> Iterator[tuple[str, Problem]]:
    """Name the tables of predictions that are not as they were written."""
    for model, table in predictions.tables():
        try:
            table.read(must_be_sealed=True)
        except (Damaged, NotFound) as error:
            problem = Problem(
                what="predictions damaged", detail=str(error), path=table.location.uri
            )
            yield f"predictions/{model}/{table.location.name}", problem


def sweep_problems(sweeps: Sweeps) -> Iterator[tuple[str, Problem]]:
    """Name the tables of sweeps that are not as they were written."""
    for table in sweeps.tables():
        try:
            table.read(must_be_sealed=True)
        except (Damaged, NotFound) as error:
            problem = Problem(what="sweep damaged", detail=str(error), path=table.location.uri)
            yield f"sweeps/{table.sweep}", problem


def backbone_problems(backbones: Backbones) -> Iterator[tuple[str, Problem]]:
    """Name the files of backbones that are not as they were added."""
    for problem in backbones.problems():
        yield f"backbones/{problem.path.rpartition('/')[2]}", problem


def tag_problems(tags: Tags) -> Iterator[tuple[str, Problem]]:
    """Name the tables of tags that are not as they were written."""
    for table in tags.tables():
        try:
            table.check()
        except (Damaged, NotFound) as error:
            problem = Problem(what="tags damaged", detail=str(error), path=table.location.uri)
            yield f"tags/{table.location.name}", problem


def strange_problems(store: Location) -> Iterator[tuple[str, Problem]]:
    """Name what lies in the store and is no file: pipes, sockets, links to nothing, names."""
    for each in store.walk().passed_by:
        if each.reason is not Reason.NAME:
            path = (store / each.path).uri
            yield each.path, Problem(what="unreadable", detail=f"{each.why}.", path=path)


def _catalogues_of(models: Models) -> Mapping[str, str]:
    """Give the catalogues that models were trained with, each with one of them."""
    found = {}
    for name, is_whole in models.list().items():
        catalogue = models.trained_with(name) if is_whole else None
        if catalogue is not None:
            found[catalogue] = name
    return found
