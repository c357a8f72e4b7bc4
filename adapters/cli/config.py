"""`wattledger config`: what the environment says."""

from sqlalchemy.engine import make_url

from adapters.cli.output import Shown, facts
from adapters.cli.verbs import topic, verb
from adapters.settings import PREFIX
from adapters.wiring import open_engine, read_settings

group = topic("config", "Settings: show.")


@verb(group)
def show() -> Shown:
    """Show the settings in force; a password is hidden."""
    settings = read_settings()
    open_engine(settings).dispose()  # Says what is wrong with the URL, without connecting.
    url = make_url(settings.database_url).render_as_string(hide_password=True)
    body = {**settings.model_dump(mode="json"), "database_url": url}
    named = {PREFIX + name.upper(): value for name, value in body.items()}
    return Shown(body=body, human=facts(named), hint="wattledger doctor")
