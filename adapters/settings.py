"""The environment, read once: `LEDGER_*`; an unknown name is an error, not a silence."""

import os
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "LEDGER_"


class Settings(BaseSettings):
    """Where the ledger lives and how much it may use."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    database_url: str = "sqlite:///var/wattledger.db"
    """`sqlite:///path` or `postgresql://user@host:port/name`."""
    cache_accounts: Annotated[int, Field(ge=1_000, le=50_000_000)] = 1_200_000
    """Folded states kept in memory, about 1.5 KB each."""
    vault_key_file: str = "var/vault.key"
    """File with the master key that wraps the customers' keys; made by `init`."""
    devices: Literal["on", "off"] = "on"
    """Whether this process reads and commands meters; of several that may, one does."""
    trips: Literal["on", "off"] = "on"
    """`off` is the kill switch: nothing is cut, everything else goes on."""
    trips_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 60
    """So many trips are sent to one gateway within a minute at most."""
    poll_interval_s: Annotated[int, Field(ge=1, le=86_400)] = 60
    """So often every connected meter is read."""
    approvals: str = "none"
    """What a second person must approve before it takes effect: `tariff`, or `none`."""
    trips_alone_max: Annotated[int, Field(ge=0, le=5_000)] = 50
    """So many accounts one person may have cut off at once; for more a second must approve."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8_000

    @field_validator("approvals")
    @classmethod
    def _known_approvals(cls, text: str) -> str:
        unknown = sorted({word.strip() for word in text.split(",")} - {"", "none", "tariff"})
        if unknown:
            raise ValueError(f"nothing is approved by the name {unknown[0]!r}; there is: tariff")
        return text

    def needing_approval(self) -> frozenset[str]:
        """The words of `approvals`."""
        return frozenset(word.strip() for word in self.approvals.split(",")) & {"tariff"}

    @model_validator(mode="after")
    def _no_unknown_names(self) -> Self:
        known = {PREFIX + name.upper() for name in type(self).model_fields}
        unknown = sorted(n for n in os.environ if n.startswith(PREFIX) and n not in known)
        if unknown:
            names = ", ".join(sorted(known))
            raise ValueError(f"unknown setting {unknown[0]}; the settings are {names}")
        return self
