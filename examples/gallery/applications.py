"""All applications of the gallery, in the order of its page."""

from __future__ import annotations

from gallery.application import Application
from gallery.clips import CLIPS
from gallery.colour import COLOUR
from gallery.detector import DETECTOR
from gallery.enlarge import ENLARGE
from gallery.style import STYLE
from gallery.video import VIDEO

APPLICATIONS: tuple[Application, ...] = (DETECTOR, VIDEO, STYLE, COLOUR, ENLARGE, CLIPS)
