"""The loop of a timed stage. (Follows.)"""

from typing import Any


class TimedWorker:
    def __init__(self, *arguments: Any, **options: Any) -> None:
        raise NotImplementedError

    async def run(self, *arguments: Any) -> None:
        raise NotImplementedError
