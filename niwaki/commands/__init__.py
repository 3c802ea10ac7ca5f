"""The commands of the command line, one file each.

Parts are imported by the command that needs them, so that running a bundle needs no compiler and
``--help`` is quick.
"""
