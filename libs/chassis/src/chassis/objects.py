"""Objects by path: a folder, memory or S3."""

import asyncio
import os
from pathlib import PurePosixPath
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem


class ObjectStore:
    def __init__(self, url: str) -> None:
        """`file:///var/lib/arena`, `memory://objects`, `s3://bucket/prefix`."""
        self._url = url
        self._opened: tuple[Any, str] | None = None

    async def put(self, path: str, data: bytes) -> None:
        """Whole or not at all, also when the process is killed."""
        await asyncio.to_thread(self._put, path, data)

    async def put_new(self, path: str, data: bytes) -> bool:
        """As `put`, where nothing is there yet: whether it was the first."""
        return await asyncio.to_thread(self._put_new, path, data)

    async def get(self, path: str) -> bytes | None:
        return await asyncio.to_thread(self._get, path)

    def _put(self, path: str, data: bytes) -> None:
        store, full = self._where(path)
        store.makedirs(str(PurePosixPath(full).parent), exist_ok=True)
        if isinstance(store, LocalFileSystem):
            store.pipe_file(f"{full}.partial", data)
            store.mv(f"{full}.partial", full)
        else:
            store.pipe_file(full, data)

    def _put_new(self, path: str, data: bytes) -> bool:
        store, full = self._where(path)
        store.makedirs(str(PurePosixPath(full).parent), exist_ok=True)
        try:
            if isinstance(store, LocalFileSystem):
                partial = f"{full}.{os.getpid()}.partial"
                store.pipe_file(partial, data)
                try:
                    os.link(partial, full)
                finally:
                    store.rm_file(partial)
            else:
                store.pipe_file(full, data, mode="create")
        except FileExistsError:
            return False
        return True

    def _get(self, path: str) -> bytes | None:
        store, full = self._where(path)
        try:
            data: bytes = store.cat_file(full)
        except FileNotFoundError:
            return None
        return data

    def _where(self, path: str) -> tuple[Any, str]:
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts:
            raise ValueError(f"an object's path is relative and stays below the store: {path!r}")
        if self._opened is None:  # an S3 client is slow to make, and most services keep no objects
            self._opened = fsspec.core.url_to_fs(self._url)
        store, root = self._opened
        return store, f"{root.rstrip('/')}/{path}"
