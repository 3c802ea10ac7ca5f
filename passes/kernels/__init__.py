"""Kernel generators: each family is one file that writes a function of flat buffers in scf, vector and memref."""
