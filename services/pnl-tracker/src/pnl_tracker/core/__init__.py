"""What every competitor has and why: ledger, positions, portfolios, leaderboard. No clock, no network, no await."""
