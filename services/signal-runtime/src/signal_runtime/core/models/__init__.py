"""The models that need nothing but the view: `decide(parameters, view) -> Decision`."""
