"""Kernels chosen by measurement: `niwaki compile --tune`."""
