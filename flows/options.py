"""Every option once: the command's options and the parameters of the flows are made from it.

Prefect's form draws an annotated parameter with its sentence, its bounds and a drop-down of its
choices, and what does not fit is refused when a run is asked for, before anything starts. Each
stays an ordinary argument of the plain Python function.

click and pydantic are imported by what needs them: `genre --help` is answered without pydantic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

from flows.up.pools import POOLS
from genre_model.data.built_in import BUILT_IN
from genre_model.data.fma_archives import SHA1 as ARCHIVES_OF_FMA
from genre_model.data.layouts import forms
from genre_model.data.subsets import SUBSETS
from genre_model.frontends import PRESETS
from genre_model.networks import NETWORKS, usual_networks
from genre_model.recipe import LARGEST_SEED, MOST_EPOCHS, EvaluateSpec, TrainSpec
from genre_model.specs import SPLITS

if TYPE_CHECKING:
    from click import ParamType
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

Command = TypeVar("Command", bound=Callable[..., Any])

STAGES = ("features", "training", "evaluation")
"""What a full run does, in this order."""


def _presets() -> Iterable[str]:
    return sorted(PRESETS)


def _networks() -> Iterable[str]:
    return sorted(NETWORKS)


def _usual_networks() -> str:
    return ", ".join(f"{name} on {array}" for array, name in usual_networks().items())


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option of the command, a parameter of flows, or both.

    As metadata of an `Annotated` type it tells pydantic what is allowed.

    Attributes
    ----------
    name : str
        The parameter.
    help : str
        What it does, in a sentence; without its default and its choices.
    form : str, optional
        Another sentence for Prefect's form, where the command's would mislead.
    kind : type
        Of a value.
    default : object
        What is taken where nothing is said; None if that is not one value.
    unset : str
        What is taken then, in words that fit behind "default:".
    choices : callable, optional
        Returns the names that are allowed, as the domain's registry has them now.
    low, high : float, optional
        Bounds of a number, both allowed.
    pattern : str, optional
        That a text must match.
    flag : str, optional
        The command's spelling, where it is not that of the parameter.
    metavar : str, optional
        What stands for the value in the command's help.
    variable : str, optional
        Environment variable that sets it, too.
    is_required, is_repeatable : bool
        On the command line.
    """

    name: str
    help: str
    form: str | None = None
    kind: type = str
    default: Any = None
    unset: str = ""
    choices: Callable[[], Iterable[str]] | None = None
    low: int | None = None
    high: int | None = None
    pattern: str | None = None
    flag: str | None = None
    metavar: str | None = None
    variable: str | None = None
    is_required: bool = False
    is_repeatable: bool = False

    def unless_said(self, unset: str, **changes: Any) -> Option:
        """Return the same option without a default: saying it and not saying it differ."""
        return replace(self, default=None, unset=unset, **changes)

    def or_default(self, value: Any) -> Any:
        """Return `value`, or the default where nothing was said."""
        return self.default if value is None else value

    def click(self, **more: Any) -> Callable[[Command], Command]:
        """Make the decorator that gives a command this option.

        Parameters
        ----------
        **more
            Further arguments of `click.option`.
        """
        import click

        flag = self.flag or "--" + self.name.replace("_", "-")
        given = {} if self.default is None or self.kind is bool else {"default": self.default}
        return click.option(
            flag,
            self.name,
            **given,
            **({"is_flag": True} if self.kind is bool else {"type": self.click_type()}),
            help=self.help,
            metavar=self.metavar,
            envvar=self.variable,
            show_envvar=self.variable is not None,
            show_default=self.unset or ("off" if self.kind is bool else True),
            required=self.is_required,
            multiple=self.is_repeatable,
            **more,
        )

    def click_type(self) -> ParamType[Any] | None:
        """Return what click checks a value with."""
        import click

        if self.choices is not None:
            return click.Choice(list(self.choices()))
        if self.kind is int:
            return click.IntRange(self.low, self.high)
        return click.FloatRange(self.low, self.high) if self.kind is float else None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Tell pydantic what is allowed; None too, if the annotated type says so."""
        from pydantic_core import core_schema

        value = self._core_schema()
        if value is None:
            return handler(source)
        return core_schema.nullable_schema(value) if NoneType in get_args(source) else value

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Add the sentence, which Prefect would take from a docstring of Google's format only."""
        return {**handler(schema), "description": self.description}

    @property
    def description(self) -> str:
        """What Prefect's form shows below the field."""
        sentence = self.form or self.help
        return f"{sentence} Empty: {self.unset}." if self.unset else sentence

    def _core_schema(self) -> CoreSchema | None:
        from pydantic_core import core_schema

        if self.choices is not None:
            return core_schema.literal_schema(list(self.choices()))
        if self.kind is str:
            return core_schema.str_schema(min_length=1, pattern=self.pattern)
        if self.kind is int:
            return core_schema.int_schema(ge=self.low, le=self.high)
        if self.kind is float:
            return core_schema.float_schema(ge=self.low, le=self.high)
        return core_schema.bool_schema() if self.kind is bool else None


# What is worked on, and where.
DATA = Option(
    name="data",
    help=f"Folder, as the workers see it, {forms()}; `{BUILT_IN}` is built in.",
    default=BUILT_IN,
    metavar="FOLDER|s3://…",
    variable="GENRE_DATA",
)
RUN_DATA = DATA.unless_said(f"{DATA.default}, or any when starting at training")
NAMED_DATA = Option(
    name="data",
    help="Take the catalogue of this folder.",
    unset="none; see --catalogue",
    metavar="FOLDER|s3://…",
)
STORE = Option(
    name="store",
    help="Folder or s3:// address that results are kept in.",
    form="Folder or s3:// address that results are kept in; absolute, since a worker runs each "
    "flow in a temporary folder.",
    default="./genre-store",
    metavar="FOLDER|s3://…",
    variable="GENRE_STORE",
)
FOLDER = Option(
    name="folder", help="Folder or s3:// address with audio files, also in folders below it."
)
STORAGE_OPTIONS = Option(
    name="storage_options",
    help="What s3:// addresses need; repeatable. Secrets rather in GENRE_STORAGE_OPTIONS or "
    "AWS_PROFILE.",
    unset="those of the environment",
    metavar="JSON|NAME=VALUE",
    is_repeatable=True,
)
STORAGE_BLOCK = Option(
    name="storage_block",
    help="Prefect block with the options of s3:// addresses, as aws-credentials/name.",
    unset="those of the environment",
    metavar="TYPE/NAME",
    variable="GENRE_STORAGE_BLOCK",
)
JSON = Option(name="as_json", flag="--json", kind=bool, help="Write one JSON object on stdout.")

# Features.
SUBSET = Option(
    name="subset",
    help="Tracks to take; each includes those before it.",
    unset="the largest whose folder fma_… lies in the data",
    choices=lambda: SUBSETS,
    variable="GENRE_SUBSET",
)
PRESET = Option(
    name="preset",
    help="How audio becomes a row of features.",
    default="default",
    choices=_presets,
    variable="GENRE_PRESET",
)
RUN_PRESET = PRESET.unless_said(f"{PRESET.default}, or any when starting at evaluation")
ANY_PRESET = PRESET.unless_said(
    "any", help="Features that the model was trained on.", variable=None
)
RETRY_QUARANTINED = Option(
    name="retry_quarantined", kind=bool, help="Decode quarantined tracks once more."
)
MAX_QUARANTINED = Option(
    name="max_quarantined",
    help="Share of quarantined tracks, 0 to 1, above which the run fails.",
    kind=float,
    default=0.1,
    low=0,
    high=1,
    variable="GENRE_MAX_QUARANTINED",
)

# Training, evaluation and prediction.
CATALOGUE = Option(
    name="catalogue",
    help="Id of the catalogue whose labels and splits count.",
    unset="the one written last",
    metavar="ID",
    variable="GENRE_CATALOGUE",
)
NETWORK = Option(
    name="network",
    help="Network that is trained.",
    unset=_usual_networks(),
    choices=_networks,
    variable="GENRE_NETWORK",
)
RUN_NETWORK = NETWORK.unless_said(f"{NETWORK.unset}; any when starting at evaluation")
ANY_NETWORK = NETWORK.unless_said("any", help="Network that the model is.", variable=None)
SEED = Option(
    name="seed",
    help="Source of every random draw.",
    kind=int,
    default=TrainSpec.seed,
    low=0,
    high=LARGEST_SEED,
    variable="GENRE_SEED",
)
RUN_SEED = SEED.unless_said(f"{SEED.default}, or any when starting at evaluation")
ANY_SEED = SEED.unless_said("any", help="Seed that the model was trained with.", variable=None)
EPOCHS = Option(
    name="epochs",
    help="Epochs at most.",
    kind=int,
    unset=str(TrainSpec.epochs),
    low=1,
    high=MOST_EPOCHS,
    variable="GENRE_EPOCHS",
)
MODEL = Option(
    name="model",
    help="Id of a model in the store.",
    unset="the one trained last",
    metavar="ID",
    variable="GENRE_MODEL",
)
PREDICTING = MODEL.unless_said(
    "the champion", help="Id of a model in the store, or a model's folder.", metavar="ID|FOLDER"
)
SPLIT = Option(
    name="split",
    help="Whose tracks are predicted.",
    default=EvaluateSpec.split,
    choices=lambda: SPLITS,
    variable="GENRE_SPLIT",
)

# How a run goes.
WORKERS = Option(
    name="workers",
    help="Local Dask worker processes.",
    kind=int,
    unset="one a core",
    low=1,
    high=1_024,
    variable="GENRE_WORKERS",
)
SCHEDULER = Option(
    name="scheduler",
    help="Dask scheduler to join instead of starting workers, as tcp://host:8786.",
    unset="none",
    metavar="ADDRESS",
    variable="GENRE_SCHEDULER",
)
REFRESH = Option(name="refresh", kind=bool, help="Do it again though it is done.")
VERIFY = Option(
    name="verify",
    kind=bool,
    help="Read all bytes that are there first, and write again what is damaged.",
)
VERIFY_STORE = Option(
    name="verify", kind=bool, help="Read all bytes of the features, and name what is damaged."
)
START_AT = Option(
    name="start_at",
    help="First stage; a later one goes on with what the store holds, and refresh forces the "
    "stages from there on.",
    default=STAGES[0],
    choices=lambda: STAGES,
    variable="GENRE_START_AT",
)
TRAIN_ON = Option(
    name="train_on",
    help="Deployment that trains, as train-model/train-model on the pool gpu.",
    unset="this run's own process",
    pattern="^[^/]+/[^/]+$",
)

# Fetching.
DATASET = Option(
    name="dataset",
    help="Data set; the metadata comes with each.",
    choices=lambda: ARCHIVES_OF_FMA,
)
TO = Option(
    name="to",
    help="Folder or s3:// address for the data; what --data names later.",
    form="Folder or s3:// address for the data, absolute; what `data` names later.",
    metavar="FOLDER|s3://…",
    variable="GENRE_DATA",
    is_required=True,
)
MIRROR = Option(
    name="mirror",
    help="Address (http(s)://, file:// or s3://) that holds NAME.zip.",
    unset="FMA's own",
    metavar="URL",
    variable="GENRE_MIRROR",
)
SHA1 = Option(
    name="sha1",
    help="Hash of an archive that is not FMA's own; repeatable.",
    form="Archive -> sha1, where it is not FMA's own.",
    kind=dict,
    unset="those that FMA published",
    metavar="NAME=HEX",
    is_repeatable=True,
)
STREAM = Option(
    name="stream", kind=bool, help="Read members by range where they lie, and keep no archive."
)
ARCHIVES = Option(
    name="archives",
    help="Folder that keeps the archives.",
    unset="that of the data, or for a bucket a cache",
    metavar="FOLDER",
    variable="GENRE_ARCHIVES",
)

# The server that `genre up` starts.
HOST = Option(
    name="host",
    help="Address of this machine that the server listens on, so that other machines reach it, in "
    "plain HTTP and with a password.",
    unset="127.0.0.1",
    metavar="ADDRESS",
    variable="GENRE_HOST",
)
PORT = Option(
    name="port",
    help="Port of the server.",
    kind=int,
    unset="that of PREFECT_API_URL, or 4200",
    low=1,
    high=65_535,
    variable="GENRE_PORT",
)
WEBHOOK = Option(
    name="webhook",
    help="Address that automations call when something is wrong.",
    unset="none",
    metavar="URL",
    variable="GENRE_WEBHOOK",
)
TIMEZONE = Option(
    name="timezone",
    help="Time zone of the schedules, as Europe/Zurich.",
    unset="that of prefect.yaml, Europe/Zurich",
    metavar="ZONE",
    variable="GENRE_TIMEZONE",
)
HOUR = Option(
    name="hour",
    help="Hour of the day at which the nightly run starts, 0 to 23.",
    unset="that of prefect.yaml, 3",
    metavar="HOUR",
    variable="GENRE_HOUR",
)
REPLACE = Option(
    name="replace",
    kind=bool,
    help="Change the server's deployments also where somebody else has made them.",
)
POOL = Option(
    name="pools",
    flag="--pool",
    help="Start a worker of this pool here; repeatable.",
    default=tuple(POOLS),
    unset="each",
    choices=lambda: POOLS,
    is_repeatable=True,
)
DETACH = Option(name="detach", kind=bool, help="Leave it running; `genre down` stops it.")

# The flows' parameters.
Data = Annotated[str, DATA]
RunData = Annotated[str | None, RUN_DATA]
StoreAddress = Annotated[str, STORE]
Folder = Annotated[str, FOLDER]
StorageBlock = Annotated[str | None, STORAGE_BLOCK]
Subset = Annotated[str | None, SUBSET]
Preset = Annotated[str, PRESET]
RunPreset = Annotated[str | None, RUN_PRESET]
RetryQuarantined = Annotated[bool, RETRY_QUARANTINED]
MaxQuarantined = Annotated[float, MAX_QUARANTINED]
Catalogue = Annotated[str | None, CATALOGUE]
Network = Annotated[str | None, NETWORK]
RunNetwork = Annotated[str | None, RUN_NETWORK]
Seed = Annotated[int, SEED]
RunSeed = Annotated[int | None, RUN_SEED]
Epochs = Annotated[int | None, EPOCHS]
Model = Annotated[str | None, MODEL]
Predicting = Annotated[str | None, PREDICTING]
Split = Annotated[str, SPLIT]
Workers = Annotated[int | None, WORKERS]
Scheduler = Annotated[str | None, SCHEDULER]
Refresh = Annotated[bool, REFRESH]
Verify = Annotated[bool, VERIFY]
StartAt = Annotated[str, START_AT]
TrainOn = Annotated[str | None, TRAIN_ON]
Dataset = Annotated[str, DATASET]
To = Annotated[str, TO]
Mirror = Annotated[str | None, MIRROR]
Sha1 = Annotated[dict[str, str] | None, SHA1]
Stream = Annotated[bool, STREAM]
Archives = Annotated[str | None, ARCHIVES]
