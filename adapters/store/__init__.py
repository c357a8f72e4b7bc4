"""The event store on SQLite and PostgreSQL; any `eventsourcing` application runs on it.

`PERSISTENCE_MODULE=adapters.store` finds the one infrastructure factory in this module.
"""

from adapters.store.factory import SqlFactory

__all__ = ["SqlFactory"]
