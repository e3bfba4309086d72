"""Foreign text to plain text: what a reader would not see is gone, and every letter has one form."""

import re
import unicodedata
from html.parser import HTMLParser

_SILENT = frozenset({"script", "style", "template", "noscript", "head", "iframe", "svg", "object"})
_VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "wbr", "source", "col", "area", "base", "embed"})
_hiding = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])|opacity\s*:\s*0(?![.\d]*[1-9])", re.I
).search
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
"""Control, format (zero-width, direction, tags), unassigned, private and half characters."""


def clean(text: str) -> str:
    """Without markup and what it hides, in NFKC, without invisible characters, on one line."""
    shown = _shown(text) if "<" in text or "&" in text else text
    folded = unicodedata.normalize("NFKC", shown)
    seen = (" " if char in "\t\n\r" else char for char in folded)
    return " ".join("".join(char for char in seen if unicodedata.category(char) not in _INVISIBLE).split())


def _shown(text: str) -> str:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return "".join(reader.shown)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shown: list[str] = []
        self._open: list[tuple[str, bool]] = []
        """Elements around, and whether each is hidden."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shown.append(" ")
        if tag not in _VOID:
            self._open.append((tag, tag in _SILENT or _hides(dict(attrs))))

    def handle_endtag(self, tag: str) -> None:
        self.shown.append(" ")
        for depth in range(len(self._open) - 1, -1, -1):
            if self._open[depth][0] == tag:
                del self._open[depth:]
                return

    def handle_data(self, data: str) -> None:
        if not any(hidden for _, hidden in self._open):
            self.shown.append(data)


def _hides(attributes: dict[str, str | None]) -> bool:
    aria = (attributes.get("aria-hidden") or "").lower()
    return "hidden" in attributes or aria == "true" or bool(_hiding(attributes.get("style") or ""))
