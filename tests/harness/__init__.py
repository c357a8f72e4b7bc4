"""Real infrastructure for tests: a throwaway PostgreSQL and a network that fails on demand."""
