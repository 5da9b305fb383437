"""What of a template is still to be changed: the places that say `# UPDATE:`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lakemon_core.config.source.read import places_in, read_text


@dataclass(frozen=True, slots=True)
class OpenPlace:
    """One place to change.

    Attributes:
        file: its path from the folder of the config, with `/`.
        line: 1-based.
        what: what to write there.
    """

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        """`file:line what`, as editors and terminals make it a link."""
        return f"{self.file}:{self.line} {self.what}"


def text_places(texts: Mapping[str, str]) -> list[OpenPlace]:
    """Returns the places to change in texts, path → text, in their order."""
    return [OpenPlace(file, line, what) for file, text in texts.items() for line, what in places_in(text)]


def project_places(config: Path) -> list[OpenPlace]:
    """Returns the places to change in a config, and in the files of its project that lie beside it.

    Raises:
        ConfigErrors: LM100 to LM102 when a file cannot be read.
    """
    from lakemon_templates import PROJECT_PATHS

    beside = {path: config.parent / path for path in PROJECT_PATHS}
    present = {path: read_text(file) for path, file in beside.items() if file.is_file()}
    return text_places({config.name: read_text(config), **present})
