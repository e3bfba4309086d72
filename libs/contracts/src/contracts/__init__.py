"""Event types, topics and their wire form: the only thing the services share."""
