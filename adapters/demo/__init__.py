"""A small town to look at: customers, meters and three months of their history."""
