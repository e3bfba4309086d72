"""Objects by path: a folder, memory or S3. (API skeleton; bodies follow.)"""


class ObjectStore:
    def __init__(self, url: str) -> None:
        """`file:///var/lib/arena`, `memory://objects`, `s3://bucket/prefix`."""
        raise NotImplementedError

    async def put(self, path: str, data: bytes) -> None:
        raise NotImplementedError

    async def get(self, path: str) -> bytes | None:
        raise NotImplementedError
