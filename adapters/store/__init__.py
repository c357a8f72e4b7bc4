"""The event store on SQLite and PostgreSQL; any `eventsourcing` application runs on it."""
