"""What /healthz and /readyz say. (API skeleton; bodies follow.)"""


class Loop:
    """One consume loop: it says that it turned."""

    def turned(self) -> None:
        raise NotImplementedError

    def ready(self) -> None:
        raise NotImplementedError


class Health:
    def loop(self, name: str, *, turns_within_s: float = 60.0) -> Loop:
        """Register a loop; the process is alive while each loop turned within its bound."""
        raise NotImplementedError
