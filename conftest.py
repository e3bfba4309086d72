"""Kafka and PostgreSQL for every test that asks: the fixtures of arena.testing. The examples of the property tests.

They are the same in every run, so that what fails is what was changed; HYPOTHESIS_PROFILE=fresh looks for new ones and
prints how to repeat what it found.
"""

import os

from hypothesis import settings

pytest_plugins = ["arena.testing"]

# how long an example takes says how busy the machine is
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("fresh", print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))
