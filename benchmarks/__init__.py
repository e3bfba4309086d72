"""What is measured, against what, in one run. Nothing here fails for being slow."""
