"""Policies: whenever something happened, then somebody decides anew; at least once, by key."""
