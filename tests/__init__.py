"""Tests are sentences and mirror the tree."""
