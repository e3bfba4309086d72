"""What was wrong with an input: counted by name, the first of each kind kept. A bad line is no reason to stop."""

from collections import Counter


class Defects:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.first: dict[str, str] = {}
        self.ended_by: str | None = None
        """Set where the input ended before its end."""

    def note(self, kind: str, where: str) -> None:
        self.counts[kind] += 1
        self.first.setdefault(kind, where)

    def __str__(self) -> str:
        lines = [f"{kind}: {count}, first at {self.first[kind]}" for kind, count in sorted(self.counts.items())]
        return "; ".join([*lines, *([self.ended_by] if self.ended_by else [])]) or "none"
