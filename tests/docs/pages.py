"""The pages people read: their fenced blocks, commands, links and tables."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(intel-ml [^`]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PROGRAM = re.compile(r"(?:^|\s|\()intel-ml\s+([^)]*)")


@dataclass(frozen=True)
class Documented:
    """One command as a page shows it, without the program's name."""

    page: str
    words: tuple[str, ...]
    is_fenced: bool

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    return [body for kind, body in _FENCE.findall(page.read_text()) if kind == language]


def commands() -> list[Documented]:
    """Return every `intel-ml` command of every page, in fenced blocks and in the text."""
    found = []
    for page in PAGES:
        for line in shell_lines(page):
            found += [_documented(page, text, fenced=True) for text in _PROGRAM.findall(line)]
        without = _FENCE.sub("", page.read_text())
        for text in _INLINE.findall(without):
            found.append(_documented(page, text.removeprefix("intel-ml "), fenced=False))
    return found


def shell_lines(page: Path) -> list[str]:
    """Return what is typed after each prompt, continued lines joined."""
    joined = "\n".join(blocks(page, "console")).replace("\\\n", " ")
    return [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]


def links(page: Path) -> list[str]:
    """Return the targets of every link and picture."""
    return _LINK.findall(_FENCE.sub("", page.read_text()))


def _documented(page: Path, text: str, *, fenced: bool) -> Documented:
    return Documented(page.name, tuple(shlex.split(text, comments=True)), fenced)
