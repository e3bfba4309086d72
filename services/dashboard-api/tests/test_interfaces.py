"""The committed descriptions are those of the code. To renew them: `python -m dashboard_api.interfaces`."""

import pytest
from dashboard_api.interfaces import WRITTEN, folder


@pytest.mark.parametrize("name", WRITTEN)
def test_the_committed_description_is_the_codes(name: str) -> None:
    assert (folder() / name).read_text() == WRITTEN[name]()
