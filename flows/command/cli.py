"""The `genre` command: each sub-command runs one flow, or reads the store.

Only click is imported at the top: `genre --help` answers in the time of a small program, and
commands that orchestrate nothing never import Prefect.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from flows.command import console

Command = TypeVar("Command", bound=Callable[..., Any])

PRESETS = ("default", "seed")
NETWORKS = ("default", "seed")
SUBSETS = ("small", "medium", "large", "full")
POOLS = ("cpu", "gpu")
ARCHIVES = ("fma_small", "fma_medium", "fma_large", "fma_full", "fma_metadata")
SPLITS = ("training", "validation", "test")
STAGES = ("features", "training", "evaluation")


def _option(*names: str, **settings: Any) -> Callable[[Command], Command]:
    """Make an option that `GENRE_…` sets too."""
    variable = "GENRE_" + names[0].lstrip("-").replace("-", "_").upper()
    return click.option(*names, envvar=variable, show_default=True, show_envvar=True, **settings)


DATA = _option(
    "--data",
    default="demo",
    metavar="FOLDER|s3://…",
    help="Folder of FMA's layout (fma_metadata/tracks.csv, fma_small/…), or with one folder a "
    "genre (rock/song.mp3); `demo` is built in.",
)
NAMED_DATA = click.option("--data", metavar="FOLDER", help="Take the catalogue of this folder.")
STORE = _option(
    "--store", default="./genre-store", metavar="FOLDER|s3://…", help="Where results are kept."
)
SUBSET = _option(
    "--subset",
    type=click.Choice(SUBSETS),
    help="Tracks to take; each includes those before it.  [default: the fma_… folder in --data]",
)
PRESET = _option("--preset", type=click.Choice(PRESETS), default="default", help="Features.")
NETWORK = _option("--network", type=click.Choice(NETWORKS), default="default", help="Network.")
SEED = _option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, help="Of every draw.")
EPOCHS = _option("--epochs", type=click.IntRange(1, 10_000), help="Epochs at most.")
WORKERS = _option(
    "--workers", type=click.IntRange(1), help="Local worker processes.  [default: one a core]"
)
SCHEDULER = _option("--scheduler", metavar="ADDRESS", help="Join this Dask scheduler instead.")
REFRESH = click.option("--refresh", is_flag=True, help="Do it again though it is done.")
VERIFY = click.option("--verify", is_flag=True, help="Read the bytes and repair what is damaged.")
RETRY = click.option(
    "--retry-quarantined", is_flag=True, help="Decode quarantined tracks once more."
)
TOLERANCE = _option(
    "--max-quarantined",
    type=click.FloatRange(0, 1),
    default=0.1,
    help="Share of refused tracks above which the run fails.",
)
CATALOGUE = _option("--catalogue", metavar="ID", help="Catalogue.  [default: the newest]")
MODEL = _option("--model", metavar="ID|FOLDER", help="Model.")
START_AT = _option(
    "--start-at",
    type=click.Choice(STAGES),
    default="features",
    help="Stage to begin with, on the newest catalogue or model of the store.",
)
ANY_PRESET = click.option("--preset", type=click.Choice(PRESETS), help="Features.  [default: any]")
ANY_NETWORK = click.option("--network", type=click.Choice(NETWORKS), help="[default: any]")
ANY_SEED = click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="[default: any]")
SPLIT = _option("--split", type=click.Choice(SPLITS), default="test", help="Tracks to predict.")
TO = click.option(
    "--to",
    envvar="GENRE_DATA",
    show_envvar=True,
    required=True,
    metavar="FOLDER|s3://…",
    help="Where the data goes; what --data names later.",
)
MIRROR = _option(
    "--mirror", metavar="URL", help="http(s)://, file:// or s3:// that holds NAME.zip."
)
SHA1 = click.option(
    "--sha1", multiple=True, metavar="NAME=HEX", help="Hash of an archive that is not FMA's own."
)
KEEP = _option(
    "--archives", metavar="FOLDER", help="Where archives are kept.  [default: --to, or a cache]"
)
STREAM = click.option(
    "--stream", is_flag=True, help="Read members by range where they lie; keep no archive."
)
STORAGE = click.option(
    "--storage-options",
    multiple=True,
    metavar="JSON|NAME=VALUE",
    expose_value=False,
    callback=lambda _context, _option, given: _give_storage_options(given),
    help="Of s3://… addresses; repeatable. Secrets rather in GENRE_STORAGE_OPTIONS or AWS_PROFILE.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")


def _give_storage_options(given: Sequence[str]) -> None:
    from storage.places.options import give_options

    if given:
        give_options(given)


def _with(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="fma-genre", prog_name="genre")
def genre() -> None:
    """Music genres from audio: features, training, evaluation, prediction, one command each.

    Results go to stdout (--json: one object), progress and errors to stderr. Exit status: 0 done,
    1 failed, 2 what was given must change, 130 interrupted (run it again to go on).
    """


@genre.command()
@_with(DATA, STORE, SUBSET, PRESET, NETWORK, SEED, EPOCHS, WORKERS, SCHEDULER)
@_with(REFRESH, VERIFY, RETRY, TOLERANCE, START_AT, CATALOGUE, MODEL, STORAGE, JSON)
def run(*, as_json: bool, **options: Any) -> None:
    """Run everything: catalogue, features, training, evaluation, report.

    With --start-at only from that stage on; --refresh then forces the stages from there on.
    """
    from flows.command import run

    run.run(as_json=as_json, **options)


@genre.command()
@click.argument("dataset", type=click.Choice(ARCHIVES))
@_with(TO, MIRROR, SHA1, STREAM, KEEP, WORKERS, SCHEDULER, VERIFY, STORAGE, JSON)
def fetch(*, as_json: bool, **options: Any) -> None:
    """Download FMA's archives, unpack them and check every byte; the metadata comes with each.

    What is there is not fetched again. Give --sha1 for a mirror whose archives are not FMA's own.
    """
    from flows.command import run

    run.fetch(as_json=as_json, **options)


@genre.command()
@_with(DATA, STORE, SUBSET, PRESET, WORKERS, SCHEDULER)
@_with(REFRESH, VERIFY, RETRY, TOLERANCE, STORAGE, JSON)
def features(*, as_json: bool, **options: Any) -> None:
    """Write the log-mel windows that are missing from the store."""
    from flows.command import run

    run.features(as_json=as_json, **options)


@genre.command()
@_with(NAMED_DATA, STORE, SUBSET, CATALOGUE, PRESET, NETWORK, SEED, EPOCHS, REFRESH, STORAGE, JSON)
def train(*, as_json: bool, **options: Any) -> None:
    """Train a network on the features in the store.

    The catalogue is the one named, that of --data, or the one written last.
    """
    from flows.command import run

    run.train(as_json=as_json, **options)


@genre.command()
@_with(STORE, MODEL, ANY_PRESET, ANY_NETWORK, ANY_SEED, SPLIT, REFRESH, STORAGE, JSON)
def evaluate(*, as_json: bool, **options: Any) -> None:
    """Evaluate a model on a split, and write its report.

    The model is the one named, or the newest of the given preset, network and seed.
    """
    from flows.command import run

    run.evaluate(as_json=as_json, **options)


@genre.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@_with(STORE, MODEL, STORAGE, JSON)
def predict(*, as_json: bool, **options: Any) -> None:
    """Name the genre of audio files with the champion, or with --model."""
    from flows.command import run

    run.predict(as_json=as_json, **options)


@genre.command()
@_with(STORE, click.option("--verify", is_flag=True, help="Read all bytes."), STORAGE, JSON)
def status(*, as_json: bool, **options: Any) -> None:
    """Show what the store holds; with --verify, check every byte of the features."""
    from flows.command import run

    run.status(as_json=as_json, **options)


@genre.command()
@_with(
    DATA,
    STORE,
    _option(
        "--host",
        metavar="ADDRESS",
        help="Address of this machine that the server listens on, so that other machines reach it; "
        "it asks for no password by itself.  [default: 127.0.0.1]",
    ),
    _option(
        "--port",
        type=click.IntRange(1, 65_535),
        help="Port of the server.  [default: that of PREFECT_API_URL, or 4200]",
    ),
    SCHEDULER,
    _option(
        "--storage-block",
        metavar="TYPE/NAME",
        help="Prefect block with the options of s3://… addresses, which the deployments load.",
    ),
    _option(
        "--webhook", metavar="URL", help="Address that automations call when something is wrong."
    ),
    click.option(
        "--pool",
        "pools",
        multiple=True,
        type=click.Choice(POOLS),
        default=POOLS,
        help="Start a worker of this pool here; repeatable.  [default: of each]",
    ),
    click.option("--detach", is_flag=True, help="Leave it running; `genre down` stops it."),
    JSON,
)
def up(*, as_json: bool, **options: Any) -> None:
    """Start a Prefect server, all deployments and a worker a pool; Ctrl-C stops them.

    The deployments work on --data and --store, with --scheduler and --storage-block, by default.
    Everything listens on 127.0.0.1 only, unless --host says otherwise.
    """
    from flows.command import run

    run.up(as_json=as_json, **options)


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
