"""`wattledger config`: what the environment says."""

from adapters.cli.output import Shown, facts
from adapters.cli.verbs import topic, verb
from adapters.settings import PREFIX
from adapters.wiring import open_engine, read_settings, shown_url

group = topic("config", "Settings")


@verb(group)
def show() -> Shown:
    """Show the settings in force; a password is hidden."""
    settings = read_settings()
    open_engine(settings).dispose()  # Says what is wrong with the URL, without connecting.
    body = {**settings.model_dump(mode="json"), "database_url": shown_url(settings)}
    named = {PREFIX + name.upper(): value for name, value in body.items()}
    return Shown(body=body, human=facts(named), hint="wattledger doctor")
