"""Decimals written once: neighbouring books hold the same prices and sizes; a look-up is a tenth of the writing."""

REMEMBERED_MAX = 50_000


class Written(dict[int, str]):
    """`written[618002]` is "61800.2" with one place. It begins anew when it has grown too large."""

    def __init__(self, places: int) -> None:
        self._places = places

    def __missing__(self, units: int) -> str:
        if len(self) >= REMEMBERED_MAX:
            self.clear()
        digits = str(units).rjust(self._places + 1, "0")
        written = f"{digits[: -self._places]}.{digits[-self._places :]}" if self._places else digits
        self[units] = written
        return written
