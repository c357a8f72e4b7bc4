"""Preview of a draft (试算): a tariff or a policy tried on real history, and nothing written."""

from ledger.previewing.decision_summary import DecisionSummary
from ledger.previewing.decisions import Decided, Decisions, PolicyPreview
from ledger.previewing.histories import Preview
from ledger.previewing.summary import Outcome, Summary
from ledger.previewing.turns import TOLD, Span, Told

__all__ = [
    "TOLD",
    "Decided",
    "DecisionSummary",
    "Decisions",
    "Outcome",
    "PolicyPreview",
    "Preview",
    "Span",
    "Summary",
    "Told",
]
