"""All applications of the gallery, in the order of its page."""

from __future__ import annotations

from gallery.application import Application

APPLICATIONS: tuple[Application, ...] = ()
