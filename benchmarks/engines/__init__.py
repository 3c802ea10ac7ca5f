"""What runs a network: Niwaki and those it is compared with, one file each.

To add one, derive from `engines.base.Engine` in a file of its own and list it as a contender in
the file of a group, such as `layers.py` or `peers.py`.
"""
