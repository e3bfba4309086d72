"""`render`: the view and the terms as text, within the budget. Same view and terms, same bytes."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter
from typing import Any

from contracts.market import NewsItem

from signal_runtime.core.prompt import budget
from signal_runtime.core.prompt.account import account_lines
from signal_runtime.core.prompt.budget import Kept
from signal_runtime.core.prompt.fence import as_data, fenced
from signal_runtime.core.prompt.market import Block, blocks
from signal_runtime.core.prompt.numbers import moment
from signal_runtime.core.prompt.rules import system_text
from signal_runtime.core.prompt.templates import words
from signal_runtime.core.prompt.terms import Prompt, PromptTerms
from signal_runtime.core.view import View


def render(view: View, terms: PromptTerms) -> Prompt:
    """Raises UnknownTemplate. Rules, account and own positions are never cut; what is goes by `budget.kept`."""
    said = words(terms.version, terms.language)
    parts = _Parts(
        view,
        said,
        system_text(view, said),
        blocks(view, said, terms.points),
        account_lines(view, terms, said),
        [as_data(_item(item)) for item in sorted(view.snapshot.news, key=attrgetter("at"))],
    )
    prompt = _prompt(parts, parts.everything, terms)
    if prompt.estimated_tokens > terms.tokens_max:
        prompt = _prompt(parts, parts.fitting(terms.tokens_max), terms)
    return prompt


@dataclass(frozen=True, slots=True)
class _Parts:
    view: View
    said: Mapping[str, Any]
    system: str
    market: Sequence[Block]
    account: Sequence[str]
    news: Sequence[str]

    @property
    def everything(self) -> Kept:
        return Kept(max(map(len, self.market), default=0), len(self.news))

    def fitting(self, tokens_max: int) -> Kept:
        """What stays beside the line that says what went and, where there are news, their heading and fence."""
        around = _news([""], self.said) if self.news else []
        always = _quarters([self.system, *self.user(Kept(0, 0)), *around])
        bars = [sum(_quarters(block.newest(index)) for block in self.market) for index in range(self.everything.points)]
        return budget.kept(always, bars, [_quarters([line]) for line in self.news], tokens_max * 4)

    def user(self, keeps: Kept) -> list[str]:
        said, left_out = self.said["market"], len(self.news) - keeps.news
        cut = Kept(self.everything.points - keeps.points, left_out)
        return [
            *_round(self.view, self.said, cut), "",
            said["heading"], said["order"],
            *(line for block in self.market for line in block.lines(keeps.points)), "",
            *self.account,
            *_news(self.news[left_out:], self.said), "",
        ]  # fmt: skip


def _quarters(lines: Sequence[str]) -> int:
    """With a line's end after each."""
    return sum(map(budget.quarters, lines)) + len(lines) * 4


def _round(view: View, said: Mapping[str, Any], cut: Kept) -> list[str]:
    words, request, season = said["round"], view.request, view.season
    minutes = (request.at - season.starts_at) // timedelta(minutes=1)
    lines = [
        words["heading"].format(round=request.round),
        words["now"].format(at=moment(request.at), minutes=minutes, deadline=moment(request.deadline)),
    ]
    if season.ends_at is not None:
        lines.append(words["ends"].format(ends_at=moment(season.ends_at)))
    if cut.points or cut.news:
        lines.append(words["shortened"].format(bars=cut.points, news=cut.news))
    return lines


def _item(item: NewsItem) -> Mapping[str, Any]:
    return {
        "at": moment(item.at), "source": item.source, "headline": item.headline, "instruments": list(item.instruments)
    }  # fmt: skip


def _news(lines: Sequence[str], said: Mapping[str, Any]) -> list[str]:
    return ["", said["news"]["heading"], *fenced(lines)] if lines else []


def _prompt(parts: _Parts, keeps: Kept, terms: PromptTerms) -> Prompt:
    system, user = parts.system, "\n".join(parts.user(keeps))
    sha256 = hashlib.sha256(f"{system}\0{user}".encode()).hexdigest()
    return Prompt(system, user, terms.version, terms.language, sha256, budget.tokens(system) + budget.tokens(user))
