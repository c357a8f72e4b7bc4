"""The HTTP doors of the ledger."""
