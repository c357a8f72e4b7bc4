"""Measurements of the design's speeds, as ratios within one run, on a scratch store."""
