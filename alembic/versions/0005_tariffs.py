"""What became of readings in quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Let a row of the quarantine say how it was settled; what waits says nothing."""
    op.add_column("quarantine", sa.Column("settled", sa.Text, nullable=True))
