"""Everything that decides, and nothing that waits: no clock, no network, no random, no await."""
