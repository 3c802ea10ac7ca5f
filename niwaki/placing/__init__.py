"""A network on several devices at once: which computes what, and when.

    imported network --> units --> times on each device --> plan --> stages, a module for each

`timeline.py`, `planner.py` and `runs.py` know units and seconds alone, no IR; `units.py` finds
units in a network, `seconds.py` what they take, `stages.py` cuts the network, and `together.py`
compiles what was cut.
"""
