"""Parameters of the flows as the dashboard's form draws them: typed, described, bounded.

Each is also an ordinary argument of the plain Python function. What does not fit is refused when
the run is asked for, before anything starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema


@dataclass(frozen=True)
class Described:
    """Put a description into a parameter's schema.

    Prefect overwrites that of `pydantic.Field` with the docstring's, of which it reads Google's
    format alone.

    Attributes
    ----------
    text : str
        Shown below the form's field.
    """

    text: str

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Add the text to what pydantic makes of the annotated type."""
        return {**handler(core_schema), "description": self.text}


Data = Annotated[
    str,
    Field(min_length=1),
    Described(
        "Folder of FMA's layout, or of one folder a genre, as the worker sees it; or "
        "`demo` for the built-in data set."
    ),
]
Store = Annotated[
    str,
    Field(min_length=1),
    Described(
        "Folder or s3:// address that results are kept in; absolute, since a worker runs each "
        "flow in a temporary folder."
    ),
]
Folder = Annotated[
    str,
    Field(min_length=1),
    Described("Folder or s3:// address with audio files, also in folders below it."),
]
Subset = Annotated[
    Literal["small", "medium", "large", "full"] | None,
    Described(
        "Tracks to take; each includes those before it. Empty: the largest whose folder lies in "
        "`data`."
    ),
]
Preset = Annotated[Literal["default", "notebook"], Described("Feature preset.")]
Network = Annotated[Literal["default", "notebook"], Described("Which network is trained.")]
Split = Annotated[
    Literal["training", "validation", "test"], Described("Whose tracks are predicted.")
]
Catalogue = Annotated[
    str | None,
    Field(min_length=1),
    Described("Id of the catalogue whose labels and splits count. Empty: the one written last."),
]
Model = Annotated[
    str | None,
    Field(min_length=1),
    Described("Id of a model in the store. Empty: the one trained last."),
]
Predicting = Annotated[
    str | None,
    Field(min_length=1),
    Described("Id of a model in the store. Empty: the champion."),
]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1), Described("Source of every random draw.")]
Epochs = Annotated[
    int | None,
    Field(ge=1, le=10_000),
    Described("Epochs at most. Empty: the default of training."),
]
Workers = Annotated[
    int | None, Field(ge=1, le=1_024), Described("Local Dask workers. Empty: one a core.")
]
Scheduler = Annotated[
    str | None,
    Field(min_length=1),
    Described("Dask scheduler to join instead of starting workers, as tcp://host:8786."),
]
Refresh = Annotated[bool, Described("Do it again though it is done.")]
Verify = Annotated[bool, Described("Read all bytes first, and write again what is damaged.")]
RetryQuarantined = Annotated[bool, Described("Decode refused tracks once more.")]
MaxQuarantined = Annotated[
    float,
    Field(ge=0, le=1),
    Described("Share of refused tracks, 0 to 1, above which the run fails."),
]
StartAt = Annotated[
    Literal["features", "training", "evaluation"],
    Described(
        "First stage; a later one goes on with what the store holds, and `refresh` forces the "
        "stages from there on."
    ),
]
TrainOn = Annotated[
    str | None,
    Field(pattern="^[^/]+/[^/]+$"),
    Described(
        "Deployment that trains, as train-model/train-model on the pool gpu. Empty: this run's "
        "own process."
    ),
]
StorageBlock = Annotated[
    str | None,
    Field(min_length=1),
    Described("Prefect block with the options of s3:// addresses, as aws-credentials/name."),
]
