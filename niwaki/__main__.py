"""``python -m niwaki``: the command line, for environments whose scripts are not on the path."""

from .cli import main

main()
