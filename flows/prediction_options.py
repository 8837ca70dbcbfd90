"""The options of naming songs: `genre predict`, `genre serve`; as those of `flows.options`."""

from __future__ import annotations

from flows.option import Option

PREDICTING_WORKERS = Option(
    name="workers",
    help="Processes that hear files at once, for many files.",
    kind=int,
    unset="1",
    low=1,
    high=1_024,
)
# As the workers, without a variable of the environment: one file starts at once.
PREDICTING_SCHEDULER = Option(
    name="scheduler",
    help="Dask scheduler to join for many files, as tcp://host:8786.",
    unset="none",
    metavar="ADDRESS",
)
HEAR_AGAIN = Option(
    name="refresh", kind=bool, help="Hear again what the table of --parquet has already."
)
JSON_LINES = Option(
    name="as_jsonl",
    flag="--jsonl",
    kind=bool,
    help="Write one JSON object a line on stdout, each as soon as it is there.",
)
CSV = Option(
    name="csv",
    help="Write a table of all files there, too: one line a file.",
    unset="none",
    metavar="FILE",
)
PARQUET = Option(
    name="parquet",
    help="Keep the predictions in this table: the next run hears only what is new, changed, or "
    "was heard by another model; what it has of other files stays.",
    unset="none",
    metavar="FILE",
)
PLOTS = Option(
    name="plots",
    help="Draw each song there, as a PNG: its mel picture, and the genres over time beneath it.",
    unset="none",
    metavar="FOLDER|s3://…",
)
STRICT = Option(
    name="strict", kind=bool, help="Exit with 2 if any file gives no genre, not only if all do."
)

# `genre serve`.
SERVE_HOST = Option(
    name="host",
    help="Address of this machine to listen on, so that other machines reach it; they need the "
    "token of GENRE_TOKEN, or the one that is made and printed.",
    default="127.0.0.1",
    metavar="ADDRESS",
)
SERVE_PORT = Option(
    name="port",
    help="Port to listen on; 0 takes a free one.",
    kind=int,
    default=8_480,
    low=0,
    high=65_535,
)
SERVE_WORKERS = Option(
    name="workers",
    help="Processes that hear songs, one at a time each.",
    kind=int,
    unset="one a core, 4 at most",
    low=1,
    high=64,
)
QUEUE = Option(
    name="queue",
    help="Songs that may wait for a process; further ones are told to come again (503).",
    kind=int,
    default=32,
    low=0,
    high=10_000,
)
MAX_MB = Option(
    name="max_mb",
    help="Largest song that is taken, in MB.",
    kind=int,
    default=200,
    low=1,
    high=100_000,
)
MAX_SECONDS = Option(
    name="max_seconds",
    help="Seconds that a song may take to be heard; it may take ten times as long to arrive.",
    kind=int,
    default=120,
    low=1,
    high=86_400,
)

# `genre models export`.
EXPORT_TO = Option(
    name="to",
    help="Folder that is written; it must be new, or empty.",
    metavar="FOLDER",
    is_required=True,
)
SINGLE_FILE = Option(
    name="single_file",
    kind=bool,
    help="Add song.onnx: the whole model in one file, from samples to the song's probabilities.",
)
