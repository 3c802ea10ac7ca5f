"""How channels flow through a network: which go together, are constant, or are needed."""
