"""What pruning did to a network, as rows of numbers, files of them, and plots.

Plots need Matplotlib: ``pip install 'niwaki[analysis]'``. All else works without.
"""

from .cca import Likeness, svcca
from .figures import save_figure
from .kept import KeptPattern, MaskPicture, kept_patterns, mask_picture
from .plots import mask_plot, pattern_plot, sensitivity_plot, similarity_plot
from .sensitivity import Sensitivity, sensitivity
from .similarity import CONTROL, Similarity, compare
from .tables import write_rows

__all__ = [
    "CONTROL",
    "KeptPattern",
    "Likeness",
    "MaskPicture",
    "Sensitivity",
    "Similarity",
    "compare",
    "kept_patterns",
    "mask_picture",
    "mask_plot",
    "pattern_plot",
    "save_figure",
    "sensitivity",
    "sensitivity_plot",
    "similarity_plot",
    "svcca",
    "write_rows",
]
