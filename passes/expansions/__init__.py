"""Functions as arithmetic that every target gets right, in place of IREE's own versions."""
