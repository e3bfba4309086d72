"""Every service logs in as itself: its password is made once and kept below the data folder."""

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path

from chassis.migrate import migrate

from arena.stack.postgres import write_secret


def password_of(service: str, folder: Path) -> str:
    path = folder / service
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(path, secrets.token_urlsafe(24))
    return path.read_text()


async def migrated(dsn_admin: str, services: Sequence[str], folder: Path) -> dict[str, str]:
    """Schemas, roles and tables of the services; their DSNs by name."""
    return {
        service: await asyncio.to_thread(migrate, dsn_admin, service, password=password_of(service, folder))
        for service in services
    }
