"""The ledger's door to the log: hand a decision over, get an answer when it is durable."""

from ledger.store.claim_book import Contradiction
from ledger.store.ledger import Context, Ledger
from ledger.store.session import Session
from ledger.store.work import Answer, MoreShardsError, Work

__all__ = ["Answer", "Context", "Contradiction", "Ledger", "MoreShardsError", "Session", "Work"]
