"""Measurements of the design's speeds, as ratios within one run, in a scratch store that is dropped."""
