"""Vega-Lite documents as pictures, by vl-convert of the extra `lakemon[render]`; without any network."""

from __future__ import annotations

from importlib.util import find_spec

from lakemon_core.domain.charts import VegaLite
from lakemon_core.domain.errors import UsageError

NO_ADDRESSES: list[str] = []
"""Where a picture may load data from: all of it stands in the document."""


def can_render() -> bool:
    """Whether the extra is installed."""
    return find_spec("vl_convert") is not None


def demand_rendering() -> None:
    """Refuses what nobody can draw here.

    Raises:
        UsageError: LM189 when the extra is not installed.
    """
    if not can_render():
        raise UsageError(
            "LM189",
            "pictures of charts need vl-convert, which is not installed;",
            cure='pip install "lakemon[render]".',
        )


def png(document: VegaLite, *, scale: float = 2.0) -> bytes:
    """Returns a picture of dots.

    Args:
        document: a whole one, with its data.
        scale: dots a pixel of the document.

    Raises:
        UsageError: LM189 when the extra is not installed.
    """
    demand_rendering()
    import vl_convert

    return vl_convert.vegalite_to_png(document, scale=scale, allowed_base_urls=NO_ADDRESSES)


def svg(document: VegaLite) -> str:
    """Returns a picture of lines.

    Raises:
        UsageError: LM189 when the extra is not installed.
    """
    demand_rendering()
    import vl_convert

    return vl_convert.vegalite_to_svg(document, allowed_base_urls=NO_ADDRESSES)
