"""Bundles and what is done with them: writing, loading, running, measuring, reporting.

Needs numpy and, to run a network, `iree.runtime`; never PyTorch or MLIR.
"""
