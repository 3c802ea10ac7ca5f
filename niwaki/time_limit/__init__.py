"""Networks pruned to take at most so long: `niwaki.prune_within`, `niwaki prune --target-ms`."""
