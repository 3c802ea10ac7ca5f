"""How linalg ops are recognised as layers; used by the raise-layers pass."""
