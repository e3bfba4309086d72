"""The competitor's own account: every term defined beside its number, positions with plan and former reasons."""

from collections.abc import Mapping
from typing import Any

from contracts.portfolios import PortfolioUpdated, PositionView
from contracts.signals import Condition, ExitPlan

from signal_runtime.core.prompt.fence import as_data, fenced
from signal_runtime.core.prompt.numbers import exact, fixed, moment, places, usd
from signal_runtime.core.prompt.rules import coin_of
from signal_runtime.core.prompt.terms import PromptTerms, Rationale
from signal_runtime.core.view import View


def account_lines(view: View, terms: PromptTerms, words: Mapping[str, Any]) -> list[str]:
    said, positions = words["account"], list(view.positions.values())
    lines = [said["heading"], *_money(view.portfolio, words), _record(view.portfolio, terms, words), ""]
    lines += [said["positions"], said["resting"]]
    for position in positions:
        lines += ["", *_position(view, position, terms.rationales.get(position.instrument), words)]
    return lines if positions else [*lines, said["no_positions"]]


def _money(account: PortfolioUpdated, words: Mapping[str, Any]) -> list[str]:
    said, absent = words["account"], words["absent"]
    gained = (account.equity - account.capital) / account.capital if account.capital else None
    return [
        said["equity"].format(
            equity=usd(account.equity),
            capital=usd(account.capital),
            realised=usd(account.realised_pnl),
            unrealised=usd(account.unrealised_pnl),
            fees=usd(account.fees),
            funding=usd(account.funding),
            return_percent=absent if gained is None else f"{gained * 100:.2f} %",
        ),
        said["cash"].format(cash=usd(account.cash)),
        said["margin"].format(margin_used=usd(account.margin_used), margin_available=usd(account.margin_available)),
        said["exposure"].format(
            gross=usd(account.exposure_gross),
            net=usd(account.exposure_net),
            leverage=fixed(account.leverage, 2, absent),
        ),
        said["maintenance"].format(
            maintenance=absent if account.maintenance_margin is None else f"{account.maintenance_margin:.2f} USD",
            ratio=fixed(account.margin_ratio, 2, absent),
        ),
    ]


def _record(account: PortfolioUpdated, terms: PromptTerms, words: Mapping[str, Any]) -> str:
    absent = words["absent"]
    return str(
        words["account"]["record"].format(
            peak=usd(account.peak_equity),
            drawdown_percent=f"{account.max_drawdown * 100:.2f}",
            trades=account.trades,
            wins=account.wins,
            streak=absent if account.losing_streak is None else account.losing_streak,
            sharpe=fixed(terms.sharpe, 3, absent),
        )
    )


def _position(view: View, position: PositionView, why: Rationale | None, words: Mapping[str, Any]) -> list[str]:
    said, absent = words["account"], words["absent"]
    spec = view.specs.get(position.instrument)
    price = places(spec.tick_size) if spec else 2
    lines = [
        said["position"].format(
            coin=coin_of(view, position.instrument),
            side=words["long" if position.quantity > 0 else "short"],
            quantity=exact(abs(position.quantity), absent),
        ),
        said["priced"].format(
            entry=fixed(position.entry_price, price + 1),
            opened_at=moment(position.opened_at),
            mark=fixed(position.mark_price, price),
            notional=usd(position.notional),
            unrealised=usd(position.unrealised_pnl),
            leverage=exact(position.leverage, absent),
            mode=words[position.margin_mode],
            margin=usd(position.margin),
            liquidation=fixed(position.liquidation_price, price, said["none"]),
        ),
        _exits(position.exit_plan, words),
    ]
    return [*lines, *_own_words(position.exit_plan, why, said)]


def _exits(plan: ExitPlan | None, words: Mapping[str, Any]) -> str:
    said = words["account"]
    if plan is None:
        return str(said["no_exits"])
    return str(
        said["exits"].format(
            take_profit=exact(plan.take_profit, said["none"]),
            stop_loss=exact(plan.stop_loss, said["none"]),
            trigger=plan.trigger,
            condition=_condition(plan.invalidation_condition, words),
        )
    )


def _condition(condition: Condition | None, words: Mapping[str, Any]) -> str:
    said = words["account"]
    if condition is None:
        return str(said["none"])
    shape = said["on_mark" if condition.interval is None else "on_bar"]
    return str(
        shape.format(
            interval=condition.interval, comparison=words[condition.comparison], price=exact(condition.price, "")
        )
    )


def _own_words(plan: ExitPlan | None, why: Rationale | None, said: Mapping[str, str]) -> list[str]:
    """As data: a model's own former text may carry what somebody else put into it."""
    spoken: dict[str, Any] = {}
    if why is not None:
        spoken = {"round": why.round, "justification": why.justification}
        spoken |= {"confidence": exact(why.confidence, "")} if why.confidence is not None else {}
        spoken |= {"risk_usd": exact(why.risk_usd, "")} if why.risk_usd is not None else {}
    if plan is not None and plan.invalidation:
        spoken["invalidation_condition"] = plan.invalidation
    return [said["own_words"], *fenced([as_data(spoken)])] if spoken else []
