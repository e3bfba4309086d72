"""What the page shows, folded from events. No clock, no network, no await."""
