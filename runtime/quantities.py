"""Numbers as people read them."""

from __future__ import annotations


def size_text(count: int) -> str:
    """Bytes for people: ``1.5 kB``."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def microseconds(seconds: float) -> str:
    """A time for people: ``1,234.5 us``."""
    return f"{1e6 * seconds:,.1f} us"


def percent(part: int, whole: int) -> str:
    """A share for people; nothing has none."""
    return f"{100 * part / whole:.1f}%" if whole else "-"
