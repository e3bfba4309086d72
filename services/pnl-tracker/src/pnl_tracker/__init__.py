"""The double-entry ledger, portfolios and the leaderboard."""
