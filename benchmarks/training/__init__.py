"""Pruned networks with their accuracy: tasks, experiments, and the document of results."""

import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path += [str(EXAMPLES), str(EXAMPLES / "networks")]
