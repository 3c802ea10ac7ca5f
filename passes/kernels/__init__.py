"""Kernel generators: a family is one file, which writes functions in scf, vector and memref."""
