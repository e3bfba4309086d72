"""Language models behind one protocol: providers, the wire to them, what one competitor's turn is."""
