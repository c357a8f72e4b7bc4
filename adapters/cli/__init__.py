"""The command line: data to stdout, talk to stderr, exit codes that programs can rely on."""

import typer

from adapters.cli import account, init, recharge
from adapters.cli.verbs import Commands

app = typer.Typer(
    name="wattledger",
    help="The open ledger of prepaid electricity and water (费控).",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for commands in (init, account, recharge):
    commands.register(app)


def main() -> None:
    """Run the command line of this process."""
    app(prog_name="wattledger")
