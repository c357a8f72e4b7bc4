"""Preview of a tariff's draft (资费试算): real history rated again, and nothing written."""

from ledger.previewing.histories import READ, Fact, Preview, Span
from ledger.previewing.summary import Outcome, Summary

__all__ = ["READ", "Fact", "Outcome", "Preview", "Span", "Summary"]
