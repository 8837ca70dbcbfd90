"""What each sub-command does: call one flow or read the store, then write the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from flows.command import checks, console, environment, render
from flows.dashboard import temporary_server
from flows.engine import orphans, progress

Result = dict[str, Any]


def run(*, as_json: bool, **options: Any) -> None:
    """Run `genre run`."""
    with _flow_result(as_json, render.full_run, lambda: checks.check_run(**options)) as tell:
        from flows.full_run import full_run

        tell(full_run(**options))


def fetch(*, as_json: bool, sha1: Sequence[str], **options: Any) -> None:
    """Run `genre fetch`; `sha1` holds NAME=HEX of each archive that has another one than FMA's."""

    def check() -> None:
        from flows.engine.cluster import check_cluster
        from flows.engine.fetch_request import hide_login, parse_sha1, wanted_archives

        options["mirror"] = hide_login(options["mirror"])
        check_cluster(workers=options["workers"], scheduler=options["scheduler"])
        named = ("dataset", "to", "mirror", "stream", "archives")
        options["sha1"] = parse_sha1(sha1)
        wanted_archives(sha1=options["sha1"], **{name: options[name] for name in named})

    with _flow_result(as_json, render.fetched, check) as tell:
        from flows.fetch_dataset import fetch_dataset

        tell(fetch_dataset(**options))


def features(*, as_json: bool, **options: Any) -> None:
    """Run `genre features`."""
    with _flow_result(as_json, render.features, lambda: checks.check_features(**options)) as tell:
        from flows.build_features import build_features

        tell(build_features(**options))


def train(*, as_json: bool, data: str | None, subset: str | None, **options: Any) -> None:
    """Run `genre train`; with `data`, on the catalogue of that folder."""

    def check() -> None:
        checks.check_training(data=data, subset=subset, **options)

    with _flow_result(as_json, render.model, check) as tell:
        from flows.train_model import train_model

        if data is not None:
            options["catalogue"] = _catalogue_of(data, subset, options["store"])
        tell(train_model(**options))


def evaluate(
    *, as_json: bool, preset: str | None, network: str | None, seed: int | None, **options: Any
) -> None:
    """Run `genre evaluate`; preset, network and seed narrow the choice of the model."""

    def choose() -> None:
        from storage.array.layout import open_store
        from tasks.models import choose_model

        options["model"] = choose_model(
            open_store(options["store"]),
            options["model"],
            preset=preset,
            network=network,
            seed=seed,
        )

    with _flow_result(as_json, render.evaluation, choose) as tell:
        from flows.evaluate_model import evaluate_model

        tell(evaluate_model(**options))


def predict(*, as_json: bool, store: str, model: str | None, files: Sequence[str]) -> None:
    """Run `genre predict`; it starts no server."""
    from flows.errors import UsageError

    environment.prepare()
    with console.result_stream() as out:
        progress.enable()
        from storage.array.layout import open_store
        from storage.places.location import Location
        from tasks.prediction import open_predictor, predict_files

        name, predictor = open_predictor(
            Location.parse(store) if model is not None else open_store(store), model
        )
        with progress.stage("predict", total=len(files), unit="files") as show:
            lines = predict_files(predictor, files, file_done=lambda done: show(done, ""))
        bad = [line for line in lines if line["genre"] is None]
        if len(bad) == len(lines):
            raise UsageError(
                "; ".join(f"{line['path']} is {line['status']}: {line['detail']}" for line in bad)
            )
        result = {"model": name, "predictions": lines}
        console.emit(
            result, as_json=as_json, show=lambda to: render.predictions(result, to), to=out
        )


def status(*, as_json: bool, store: str, verify: bool) -> None:
    """Run `genre status`; it starts no server and imports no Prefect."""
    from storage.array.datasets import list_features
    from storage.array.features import FeatureStore
    from storage.array.layout import open_store
    from storage.array.verification import verify as verify_features
    from storage.summary import summarise
    from tasks.known_defects import report_known_defects

    with console.result_stream() as out:
        root = open_store(store)
        result: Result = summarise(root).to_dict()
        for each in result["features"]:
            data_set, _, name = each["key"].partition("/")
            each["known_defects"] = report_known_defects(root, data_set=data_set, name=name)
        if verify:
            result["problems"] = [
                {"features": f"{data_set}/{name}", **problem.to_dict()}
                for data_set, name in list_features(root)
                for problem in verify_features(
                    FeatureStore.open(root, data_set=data_set, name=name)
                )
            ]
        console.emit(result, as_json=as_json, show=lambda to: render.status(result, to), to=out)
    if result.get("problems"):
        raise SystemExit(console.EXIT_FAILED)


def up(*, as_json: bool, **options: Any) -> None:
    """Run `genre up`: start what is missing, and with `detach` leave it running."""
    from flows.up import starting, supervision

    with console.result_stream() as out:
        progress.enable()
        running = starting.start(starting.Asked(**options))
        result = running.result.to_dict()
        console.emit(result, as_json=as_json, show=lambda to: render.up(result, to), to=out)
        if not (running.result.already_running or running.result.detached):
            supervision.serve(running)


def down(*, as_json: bool) -> None:
    """Run `genre down`: stop what `genre up` has started, and nothing else."""
    from flows.up import supervision

    with console.result_stream() as out:
        progress.enable()
        result = supervision.stop().to_dict()
        console.emit(result, as_json=as_json, show=lambda to: render.down(result, to), to=out)


@contextmanager
def _flow_result(
    as_json: bool, show: Callable[[Result, TextIO], None], check: Callable[[], None]
) -> Iterator[Callable[[Result], None]]:
    """Check, prepare for a flow; yield what takes its result, written when all has settled."""
    environment.prepare()
    results: list[Result] = []
    with console.result_stream() as out:
        check()
        orphans.leave_none()
        progress.enable()
        temporary_server.start()
        yield results.append
        from flows.dashboard.flushing import settle

        settle()
        result = results[-1]
        console.emit(result, as_json=as_json, show=lambda to: show(result, to), to=out)


def _catalogue_of(data: str, subset: str | None, store: str) -> str:
    from flows.engine.data import data_location
    from storage.array.layout import open_store
    from tasks.catalogue import find_catalogue, store_catalogue

    found = find_catalogue.fn(data_location(data), subset=subset)
    return store_catalogue.fn(open_store(store), found)
