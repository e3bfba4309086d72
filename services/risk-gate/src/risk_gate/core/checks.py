"""All checks in their order: the first that rejects decides."""

from risk_gate.core import admission, caps, form, limits, season_rules
from risk_gate.core.engine import Engine

CHECKS = Engine([
    admission.trading_allowed, admission.breakers_armed, admission.round_open, admission.not_duplicate,
    admission.in_time, admission.instrument_allowed, admission.instrument_known, admission.portfolio_known,
    admission.price_known, admission.not_suspended, admission.book_uncrossed, admission.price_fresh,
    admission.order_known, form.position_to_reduce, form.position_to_exit, form.quantity_min, form.quantity_max,
    form.quantity_lot,
    form.price_tick, form.trigger_tick, form.trigger_price_known, form.trigger_side, form.price_in_band, form.expiry,
    season_rules.trading_window, season_rules.orders_per_round, season_rules.orders_per_hour, season_rules.additions,
    season_rules.reentry, season_rules.hold_min,
    limits.leverage_max, form.exit_plan, form.exit_changes, limits.notional_min, limits.notional_max,
    limits.position_max, limits.tiers_end, limits.positions_max, caps.arena_known, caps.exposure, limits.margin,
])  # fmt: skip
