"""How a function becomes a command: `--json`, `--quiet`, problems and exit codes in one place."""

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from typing import Annotated, Any, ParamSpec

import typer
from typer.core import TyperGroup

from adapters.cli.output import Shown, Stream, is_quiet, print_json, say, show
from adapters.cli.problems import INTERRUPTED, Failure, failure_of, usage

Inputs = ParamSpec("Inputs")
Verb = Callable[Inputs, Shown | Stream]

AsJson = Annotated[
    bool, typer.Option("--json", help="Print the API's body, on failure a problem document.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but the data.")]
SHARED = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)
    for name, annotation in (("as_json", AsJson), ("quiet", Quiet))
]


class Commands(TyperGroup):
    """The root: with `--json` a command line that cannot be understood is a document as well."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - as above
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002 - as above
        **extra: Any,  # noqa: ANN401 - as above
    ) -> Any:  # noqa: ANN401 - as above
        """Run a command line; with `standalone_mode` the process ends with its exit code."""
        given = list(sys.argv[1:] if args is None else args)
        is_document = standalone_mode and "--json" in given
        try:
            code = super().main(
                given,
                prog_name,
                complete_var,
                standalone_mode=standalone_mode and not is_document,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except typer.TyperException as error:
            if not is_document:
                raise
            failure = usage(error.format_message())
            print_json(failure.document())
            code = failure.exit_code
        if is_document:
            sys.exit(code if isinstance(code, int) else 0)
        return code


class Topic(TyperGroup):
    """A group whose help names its commands, so that none is forgotten."""

    STANDING = ""
    """The command that words stand for which name none."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - the library's own
        super().__init__(**given)
        names = ", ".join(name for name in self.commands if name != self.STANDING)
        self.help = f"{self.help}{'; ' if self.STANDING else ': '}{names}."

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - a private type
        """The words of a command line; what begins with no command's name is the standing one."""
        known = {*self.commands, *self.get_help_option_names(ctx)}
        stands = self.STANDING and args and args[0] not in known
        return super().parse_args(ctx, [self.STANDING, *args] if stands else args)


def standing_for(name: str) -> type[Topic]:
    """A group in which `group WORDS` stands for `group name WORDS`, where WORDS begin otherwise."""

    class Standing(Topic):
        STANDING = name

    return Standing


def topic(name: str, help_text: str, cls: type[Topic] = Topic) -> typer.Typer:
    """A group of commands, named behind its help; it stays one even with a single command."""
    group = typer.Typer(
        name=name, help=help_text, no_args_is_help=True, cls=cls, add_completion=False
    )
    group.callback()(lambda: None)
    return group


def alone() -> typer.Typer:
    """The place of a command that has no group."""
    return typer.Typer(add_completion=False)


def verb(
    group: typer.Typer, name: str | None = None, **settings: bool
) -> Callable[[Verb[Inputs]], Verb[Inputs]]:
    """Register a function under a group; what it returns is printed, what it raises is told.

    `settings` go to the parser, such as `ignore_unknown_options` where a value may begin with `-`.
    """

    def register(function: Verb[Inputs]) -> Verb[Inputs]:
        @wraps(function)
        def run(*, as_json: bool, quiet: bool, **given: Any) -> None:  # noqa: ANN401 - any inputs
            token = is_quiet.set(quiet)
            try:
                code = _run(lambda: function(**given), as_json=as_json)  # type: ignore[call-arg]
            finally:
                is_quiet.reset(token)
            if code:
                raise typer.Exit(code)

        signature = inspect.signature(function)
        inputs = [*signature.parameters.values(), *SHARED]
        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=inputs, return_annotation=None
        )
        run.__annotations__ = {each.name: each.annotation for each in inputs}
        group.command(name, context_settings=dict(settings))(run)
        return function

    return register


def _run(function: Callable[[], Shown | Stream], *, as_json: bool) -> int:
    try:
        code = show(function(), as_json=as_json)
        sys.stdout.flush()
    except BrokenPipeError:  # Whoever read our output has seen enough.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        say("Interrupted. What was acknowledged is recorded; run the command again to go on.")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever happens is told as a problem
        return _tell(failure_of(error), as_json=as_json)
    return code


def _tell(failure: Failure, *, as_json: bool) -> int:
    if as_json:
        print_json(failure.document())
    else:
        failure.tell()
    return failure.exit_code
