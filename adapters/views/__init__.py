"""The read side: views kept by feeds, read by everybody, rebuilt and checked against the log."""

from adapters.views.views import Views

__all__ = ["Views"]
