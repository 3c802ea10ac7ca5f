"""All applications of the gallery, in the order of its page."""

from __future__ import annotations

from gallery.application import Application
from gallery.colour import COLOUR
from gallery.enlarge import ENLARGE
from gallery.style import STYLE

APPLICATIONS: tuple[Application, ...] = (STYLE, COLOUR, ENLARGE)
