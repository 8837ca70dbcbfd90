"""What each sub-command does: call one flow or read the store, then write the result."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from flows.command import (
    checks,
    console,
    environment,
    model_tables,
    progress,
    recipes,
    render,
)
from flows.command.together import (
    refuse_contradictions,
    refuse_without_data,
    refuse_without_robustness,
)
from flows.dashboard import configured_server, database_space, temporary_server
from flows.engine import interrupts, orphans
from flows.engine.progress import say
from flows.up import passwords
from storage.places.temporary_folders import sweep_temporary_folders

if TYPE_CHECKING:
    from flows.results import Result
    from genre_model.data.folder import CatalogueOptions
    from tasks.catalogue import FoundCatalogue

TRACKS = ("subset", "layout", "split_by", "genre_map", "min_tracks")
"""The options that say which tracks of the data are taken, and how."""

Options = dict[str, Any]
"""Of a command, by their parameters."""

Shown = TypeVar("Shown", bound="Result")


def run(*, as_json: bool, said: Collection[str], config: str | None, **options: Any) -> None:
    """Run `genre run`; `said` names the options that stood on the command line.

    The environment sets options of all commands: what has no use here is left out.
    """

    def check() -> None:
        from flows.engine.starting_points import NO_USE, refuse_useless

        given, asked, heard = options.pop("set"), None, set[str]()
        if options["start_at"] == "evaluation":
            options["recipe"] = recipes.asked_evaluation(
                config=config, given=given, where="with --start-at evaluation"
            )
            heard = {"config", "set"}
        refuse_useless(options["start_at"], [name for name in said if name not in heard])
        refuse_contradictions(said)
        options.update(dict.fromkeys(NO_USE[options["start_at"]] & {"catalogue", "model"}))
        if options["start_at"] != "evaluation":
            asked = _take_recipe(options, config=config, given=given, said=said)
        checks.check_run(asked=asked, wanted=_tracks_of(**options), **options)

    with _flow_result(as_json, render.full_run, check) as tell:
        from flows.full_run import full_run

        tell(full_run(**options))


def fetch(*, as_json: bool, said: Collection[str], sha1: Sequence[str], **options: Any) -> None:
    """Run `genre fetch`; `sha1` holds NAME=HEX of each archive that has another one than FMA's."""

    def check() -> None:
        from flows.engine.cluster import check_cluster
        from flows.engine.fetch_request import hide_login, parse_sha1, wanted_archives

        refuse_contradictions(said)
        options["mirror"] = hide_login(options["mirror"])
        check_cluster(workers=options["workers"], scheduler=options["scheduler"])
        named = ("dataset", "to", "mirror", "stream", "archives")
        options["sha1"] = parse_sha1(sha1)
        wanted_archives(sha1=options["sha1"], **{name: options[name] for name in named})

    with _flow_result(as_json, render.fetched, check) as tell:
        from flows.fetch_dataset import fetch_dataset

        tell(fetch_dataset(**options))


def features(*, as_json: bool, said: Collection[str], **options: Any) -> None:
    """Run `genre features`."""

    def check() -> None:
        refuse_contradictions(said)
        checks.check_features(wanted=_tracks_of(**options), **options)

    with _flow_result(as_json, render.features, check) as tell:
        from flows.build_features import build_features

        tell(build_features(**options))


def train(
    *,
    as_json: bool,
    said: Collection[str],
    data: str | None,
    config: str | None,
    print_config: bool,
    **options: Any,
) -> None:
    """Run `genre train`; with `data`, on the catalogue of that folder.

    That catalogue is written once it is sure that training can begin with it.
    """
    asked = _take_recipe(options, config=config, given=options.pop("set"), said=said)
    if print_config:
        _print_config(asked, said=said, store=options["store"], preset=options["preset"])
        return
    found: list[FoundCatalogue] = []

    def check() -> None:
        found.extend(_tracks(options, data=data, said=said, asked=asked))

    with _flow_result(as_json, render.model, check) as tell:
        from flows.train_model import train_model

        _keep(found, options)
        tell(train_model(**options))


def sweep(
    *,
    as_json: bool,
    said: Collection[str],
    data: str | None,
    config: str | None,
    settings: Sequence[str],
    **options: Any,
) -> None:
    """Run `genre sweep`; `settings` holds TABLE.KEY=VALUE,VALUE of each setting."""
    named = {name: options[name] for name in ("network", "seed", "epochs", "seeds", "trials")}
    asked = recipes.asked_sweep(config=config, given=settings, said=said, **named)
    options.update(asked.base.named(), recipe=asked.base.recipe, settings=asked.settings)
    found: list[FoundCatalogue] = []

    def check() -> None:
        found.extend(_tracks(options, data=data, said=said, asked=asked))

    with _flow_result(as_json, model_tables.swept, check) as tell:
        from flows.sweep import sweep

        _keep(found, options)
        tell(sweep(**options))


def evaluate(
    *,
    as_json: bool,
    said: Collection[str],
    config: str | None,
    preset: str | None,
    network: str | None,
    seed: int | None,
    **options: Any,
) -> None:
    """Run `genre evaluate`; preset, network and seed narrow the choice of the model."""
    refuse_contradictions(said)
    refuse_without_robustness(said)
    options["split"] = recipes.asked_evaluation(
        config=config,
        given=options.pop("set"),
        where="in `genre evaluate`",
        split=options["split"],
        said=said,
    ).evaluation.split

    def choose() -> None:
        from storage.store import Store
        from tasks.models import choose_model

        options["model"] = choose_model(
            Store.open(options["store"]),
            options["model"],
            preset=preset,
            network=network,
            seed=seed,
        )

    with _flow_result(as_json, render.evaluation, choose) as tell:
        from flows.evaluate_model import evaluate_model

        tell(evaluate_model(**options))


def status(*, as_json: bool, store: str, verify: bool, catalogue: str | None) -> None:
    """Run `genre status`; it starts no server and imports no Prefect."""
    if catalogue is not None:
        refuse_contradictions(["catalogue", *(["verify"] if verify else [])])
        _show_catalogue(store, catalogue, as_json=as_json)
        return
    from flows.results import StatusResult
    from storage.store import Store
    from tasks.status import describe_store

    with console.result_stream() as out:
        found = describe_store(Store.look(store), verify=verify)
        _emit(StatusResult(status=found), render.status, as_json, out)
    if found.problems:
        raise SystemExit(console.EXIT_FAILED)


def _show_catalogue(store: str, catalogue: str, *, as_json: bool) -> None:
    from flows.command.catalogue_lines import show
    from storage.store import Store
    from tasks.catalogue_page import describe_catalogue

    with console.result_stream() as out:
        _emit(describe_catalogue(Store.open(store), catalogue), show, as_json, out)


def up(*, as_json: bool, said: Collection[str], **options: Any) -> None:
    """Run `genre up`: start what is missing, and with `detach` leave it running.

    `said` names the options that were given.
    """
    environment.track_nobody()
    from flows.up import starting, supervision

    with console.result_stream() as out:
        progress.enable()
        running = starting.start(starting.Asked(said=frozenset(said), **options))
        _emit(running.result, render.up, as_json, out)
        if running.result.already_running or running.result.detached:
            return
        try:
            supervision.serve(running)
        except console.Terminated:
            raise
        except KeyboardInterrupt:
            return  # the way to end it


def down(*, as_json: bool) -> None:
    """Run `genre down`: stop what `genre up` has started, and nothing else."""
    environment.track_nobody()
    from flows.up import supervision

    with console.result_stream() as out:
        progress.enable()
        _emit(supervision.stop(), render.down, as_json, out)


def _tracks_of(**options: Any) -> CatalogueOptions:
    """Take what the options say of the data's tracks."""
    from tasks.finding.asked_tracks import catalogue_options

    return catalogue_options(**{name: options[name] for name in TRACKS})


def _tracks(
    options: Options, *, data: str | None, said: Collection[str], asked: checks.Completed
) -> Iterator[FoundCatalogue]:
    """Choose the catalogue to train on; give that of `data`, which is not written yet."""
    refuse_contradictions(said)
    wanted = _tracks_of(**options)
    for name in TRACKS:
        del options[name]
    if {"data", "subset"} & set(said):
        options["catalogue"] = None
    if data is not None:
        yield checks.catalogue_that_can_be_trained_on(data, wanted, asked=asked, **options)
        return
    refuse_without_data(said)
    subset = wanted.subset
    options["catalogue"] = checks.check_training(subset=subset, asked=asked, **options)


def _keep(found: Sequence[FoundCatalogue], options: Options) -> None:
    """Write the catalogue that was found, and name it among the options."""
    from storage.store import Store
    from tasks.catalogue import store_catalogue

    for each in found:
        for sentence in each.catalogue.left_out.sentences:
            say(sentence)
        options["catalogue"] = store_catalogue.fn(Store.open(options["store"]), each)


def _take_recipe(
    options: Options, *, config: str | None, given: Sequence[str], said: Collection[str]
) -> recipes.Asked:
    """Put the recipe among the options, and into those that say a part of it, too."""
    named = {name: options[name] for name in ("network", "seed", "epochs")}
    asked = recipes.asked_recipe(config=config, given=given, said=said, **named)
    options.update(asked.named(), recipe=asked.recipe)
    return asked


def _print_config(asked: recipes.Asked, *, said: Collection[str], store: str, preset: str) -> None:
    """Write the recipe that would run, and nothing else."""
    refuse_contradictions(said)
    with console.result_stream() as out:
        out.write(asked.as_toml(checks.frontend_of(store, preset)))


@contextmanager
def _flow_result(
    as_json: bool, show: Callable[[Shown, TextIO], None], check: Callable[[], None]
) -> Iterator[Callable[[Shown], None]]:
    """Check, prepare for a flow; yield what takes its result, written when all has settled."""
    environment.prepare()
    results: list[Shown] = []
    with console.result_stream() as out:
        check()
        sweep_temporary_folders()
        passwords.log_in_to_own()
        configured_server.check_server()
        orphans.leave_none()
        progress.enable()
        temporary_server.start(sigint_blocked=interrupts.sigint_blocked)
        with database_space.told_if_full():
            yield results.append
            temporary_server.flush()
        _emit(results[-1], show, as_json, out)


def _emit(result: Shown, show: Callable[[Shown, TextIO], None], as_json: bool, to: TextIO) -> None:
    console.emit(result.to_dict(), as_json=as_json, show=lambda out: show(result, out), to=to)
