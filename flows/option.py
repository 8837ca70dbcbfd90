"""What an option is: click's option and an annotated parameter of a flow are both made from it.

click and pydantic are imported by what needs them: `genre --help` is answered without pydantic.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, is_dataclass, replace
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from flows.field_docs import tell_fields

if TYPE_CHECKING:
    from click import ParamType
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

Command = TypeVar("Command", bound=Callable[..., Any])


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
        That a text must match; where there are choices, that of others which may be allowed, as
        what is worked on tells.
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
            return _choice(list(self.choices()), others=self.pattern)
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
        found = handler(schema)
        if is_dataclass(self.kind):
            tell_fields(self.kind, found, handler)
        return {**found, "description": self.description}

    @property
    def description(self) -> str:
        """What Prefect's form shows below the field."""
        sentence = self.form or self.help
        return f"{sentence} Empty: {self.unset}." if self.unset else sentence

    def _core_schema(self) -> CoreSchema | None:
        from pydantic_core import core_schema

        if self.choices is not None:
            known = core_schema.literal_schema(list(self.choices()))
            others = core_schema.str_schema(pattern=self.pattern)
            return known if self.pattern is None else core_schema.union_schema([known, others])
        if self.kind is str:
            return core_schema.str_schema(min_length=1, pattern=self.pattern)
        if self.kind is int:
            return core_schema.int_schema(ge=self.low, le=self.high)
        if self.kind is float:
            return core_schema.float_schema(ge=self.low, le=self.high)
        return core_schema.bool_schema() if self.kind is bool else None


def _choice(names: list[str], *, others: str | None) -> ParamType[Any]:
    """Make click's choice, which takes others too if they match a pattern."""
    import click

    class Open(click.Choice):  # type: ignore[type-arg]
        def convert(self, value: Any, param: Any, ctx: Any) -> Any:
            if others is not None and re.fullmatch(others, str(value)):
                return value
            return super().convert(value, param, ctx)

    return Open(names)
