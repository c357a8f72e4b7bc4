"""The auditor (审计): what the log holds, checked against itself and re-derived from its inputs."""

from ledger.audit.auditor import CATALOGUE, Auditor, Behind
from ledger.audit.chain import Chain, Finding

__all__ = ["CATALOGUE", "Auditor", "Behind", "Chain", "Finding"]
