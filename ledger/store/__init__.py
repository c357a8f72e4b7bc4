"""The ledger's door to the log: hand a decision over, get an answer when it is durable."""

from ledger.store.committer import Answer, Contradiction, Work
from ledger.store.ledger import Context, Ledger
from ledger.store.session import Session

__all__ = ["Answer", "Context", "Contradiction", "Ledger", "Session", "Work"]
