"""Gateways, meters, device commands and supply."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing yet."""
