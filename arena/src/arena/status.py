"""What `arena status` says."""

import asyncio
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from arena.datadir import DataDir
from arena.stack.processes import LOOPBACK
from arena.stack.supervisor import is_ready

RUNTIME = "signal-runtime"
"""It says of each model whether it is computed, offline or live."""


async def look(folder: DataDir) -> dict[str, Any]:
    running = folder.running()
    if running is None:
        return {"healthy": False, "running": False, "data_dir": str(folder.path)}
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as http:
        ready = await asyncio.gather(*(is_ready(http, port) for port in running.ports.values()))
        suspended = await suspended_instruments(http, running.ports.get("market-data", 0))
        figures = await answer(http, f"{running.url}metrics/system")
        port = running.ports.get(RUNTIME)
        models = await answer(http, f"http://{LOOPBACK}:{port}/models") if port else None
    services = [
        {"name": name, "ready": is_up, "port": port}
        for (name, port), is_up in zip(running.ports.items(), ready, strict=True)
    ]
    return {
        "healthy": all(ready),
        "running": True,
        "data_dir": str(folder.path),
        "pid": running.pid,
        "page": running.url,
        "kafka": running.kafka,
        "services": services,
        "suspended": suspended,
        "models": models["models"] if models else None,
        "system": figures,
    }


async def suspended_instruments(http: httpx.AsyncClient, port: int) -> list[dict[str, str]]:
    """Those that take no new orders, and why; none too where market-data does not answer."""
    try:
        text = (await http.get(f"http://{LOOPBACK}:{port}/metrics")).text
    except httpx.HTTPError:
        return []
    return suspended_in(text)


def suspended_in(metrics: str) -> list[dict[str, str]]:
    samples = (each for family in text_string_to_metric_families(metrics) for each in family.samples)
    return [each.labels for each in samples if each.name == "market_data_suspended" and each.value]


async def answer(http: httpx.AsyncClient, url: str) -> Any:
    """What a service says of itself, null where it does not answer."""
    try:
        response = await http.get(url)
        return response.json() if response.is_success else None
    except (httpx.HTTPError, ValueError):
        return None
