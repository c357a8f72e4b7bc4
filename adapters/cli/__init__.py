"""The command line: data to stdout, talk to stderr, exit codes that programs can rely on."""

import gc
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.main import get_command

from adapters.cli.verbs import Commands, alone, verb

TOPICS: Final = {
    "demo": ("demo",),
    "init": ("init",),
    "serve": ("serve",),
    "worker": ("worker",),
    "user": ("user",),
    "config": ("config",),
    "doctor": ("doctor",),
    "bench": ("bench", "bench_poll", "bench_control", "bench_preview"),
    "account": ("account", "account_import"),
    "recharge": ("recharge", "recharge_import"),
    "adjust": ("adjust",),
    "readings": ("readings", "quarantine"),
    "meter": ("meter", "meter_simulate", "meter_wire"),
    "tariff": ("tariff", "tariff_preview", "tariff_holidays"),
    "policy": ("policy", "policy_preview"),
    "command": ("command", "command_batch"),
    "why": ("why",),
    "events": ("events",),
    "replay": ("replay",),
    "verify": ("verify",),
    "explain": ("explain",),
    "export": ("export",),
    "accrue": ("accrue",),
    "rebuild": ("rebuild",),
    "unpark": ("unpark",),
}
"""Modules of each command; the first has the `group`, or the function of the command's name."""


class Topics(MutableMapping[str, Any]):
    """The commands by name, each imported when it is asked for: a recharge needs no web server."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a command of the library
        if name not in self._loaded:
            self._loaded[name] = _load(name)
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:  # noqa: ANN401 - as above
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(TOPICS)

    def __len__(self) -> int:
        return len(TOPICS)


def _load(name: str) -> Any:  # noqa: ANN401 - as above
    first, *_ = [import_module(f"{__name__}.{module}") for module in TOPICS[name]]
    group = getattr(first, "group", None)
    if group is None:
        group = alone()
        verb(group, name)(getattr(first, name))
    return get_command(group)


class Wattledger(Commands):
    """The root of all commands."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - the library's own
        super().__init__(**given)
        self.commands = Topics()


app = typer.Typer(
    cls=Wattledger, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.callback()
def root() -> None:
    """The open ledger of prepaid electricity and water (费控)."""


COLLECT_AFTER: Final = (100_000, 20, 100)
"""New objects before the collector looks for cycles: facts and rows hold none, and are many."""


def main() -> None:
    """Run the command line of this process."""
    gc.set_threshold(*COLLECT_AFTER)
    app(prog_name="wattledger")
