"""Six perpetuals that exist only here. Same seed, same bytes."""

from exchanges.synthetic.venue import Synthetic

__all__ = ["Synthetic"]
