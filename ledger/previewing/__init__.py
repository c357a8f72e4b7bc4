"""Preview of a draft (试算): a tariff or a policy tried on real history, and nothing written."""

from ledger.previewing.decision_summary import DecisionSummary
from ledger.previewing.decisions import TOLD, Decided, Decisions, PolicyPreview, Told
from ledger.previewing.histories import READ, Fact, Preview, Span
from ledger.previewing.summary import Outcome, Summary

__all__ = [
    "READ",
    "TOLD",
    "Decided",
    "DecisionSummary",
    "Decisions",
    "Fact",
    "Outcome",
    "PolicyPreview",
    "Preview",
    "Span",
    "Summary",
    "Told",
]
