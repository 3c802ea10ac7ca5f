"""What layers cost in each shape of sparsity, on each target: `niwaki cost`, searches, limits."""
