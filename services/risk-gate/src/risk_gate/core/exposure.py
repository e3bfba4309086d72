"""Who holds how much of what: competitor by instrument, in USD at the mark, above zero is long.

matrix(portfolios)              as a table when printed
matrix.gross(instruments)       of all competitors; longs and shorts add up
matrix.net(instruments)         longs less shorts
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from contracts.money import ZERO, times
from contracts.portfolios import PortfolioUpdated

Cells = Mapping[str, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Matrix:
    cells: Cells
    """By competitor, by instrument; nothing where nothing is held."""
    gross_of: Mapping[str, Decimal]
    net_of: Mapping[str, Decimal]
    """By instrument, of all competitors."""

    def gross(self, instruments: Collection[str] = ()) -> Decimal:
        """Of all instruments where none is named."""
        return sum((self.gross_of.get(name, ZERO) for name in instruments or self.gross_of), ZERO)

    def net(self, instruments: Collection[str] = ()) -> Decimal:
        return sum((self.net_of.get(name, ZERO) for name in instruments or self.net_of), ZERO)

    def __str__(self) -> str:
        """A row a competitor, a column an instrument, gross and net at the right; the totals below."""
        names = sorted(self.gross_of)
        rows: list[list[str | Decimal]] = [
            [who, *(row.get(name, ZERO) for name in names), sum(map(abs, row.values()), ZERO), sum(row.values(), ZERO)]
            for who, row in sorted(self.cells.items())
        ]
        totals: list[list[str | Decimal]] = [
            ["gross", *(self.gross_of[name] for name in names), self.gross(), ""],
            ["net", *(self.net_of[name] for name in names), "", self.net()],
        ]
        return _table([["USD", *names, "gross", "net"], *rows, *totals])


def matrix(portfolios: Iterable[PortfolioUpdated]) -> Matrix:
    cells: dict[str, dict[str, Decimal]] = {}
    gross: dict[str, Decimal] = {}
    net: dict[str, Decimal] = {}
    for portfolio in portfolios:
        row = cells.setdefault(portfolio.competitor_id, {})
        for each in portfolio.positions:
            signed = times(each.quantity, each.mark_price)
            row[each.instrument] = signed
            gross[each.instrument] = gross.get(each.instrument, ZERO) + abs(signed)
            net[each.instrument] = net.get(each.instrument, ZERO) + signed
    return Matrix(cells, gross, net)


@dataclass(frozen=True, slots=True)
class Arena:
    """All competitors of a season as of one round's opening."""

    matrix: Matrix
    missing: int
    """Competitors whose portfolio of the round was not there in time."""
    equity: Decimal
    capital: Decimal
    day_opening_equity: Decimal | None
    """USD, of all together; None where a portfolio does not tell it."""


def arena(portfolios: Collection[PortfolioUpdated], missing: int) -> Arena:
    openings = [each.day_opening_equity for each in portfolios]
    known = [each for each in openings if each is not None]
    return Arena(
        matrix=matrix(portfolios),
        missing=missing,
        equity=sum((each.equity for each in portfolios), ZERO),
        capital=sum((each.capital for each in portfolios), ZERO),
        day_opening_equity=sum(known, ZERO) if len(known) == len(openings) else None,
    )


def _table(rows: list[list[str | Decimal]]) -> str:
    texts = [[cell if isinstance(cell, str) else f"{cell:,.2f}" for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in texts) for column in range(len(texts[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in texts
    )
