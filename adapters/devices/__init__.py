"""Meters on their buses: register maps, drivers, the sweep, and the park of simulated meters."""
