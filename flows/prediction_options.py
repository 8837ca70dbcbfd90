"""The options of naming songs: `genre predict`, `genre serve`; as those of `flows.options`."""

from __future__ import annotations

from flows.option import Option

PREDICTING_WORKERS = Option(
    name="workers",
    help="Local Dask worker processes, for many files.",
    kind=int,
    unset="none: one process, which starts at once",
    low=1,
    high=1_024,
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
    "was heard by another model.",
    unset="none",
    metavar="FILE",
)
STRICT = Option(
    name="strict", kind=bool, help="Exit with 2 if any file gives no genre, not only if all do."
)
