"""The local stack, the demo and the `arena` command line."""
