"""The arena under faults: what is done to it, how long it takes to recover, whether anything was lost or doubled."""
