"""Each process's memory."""

import psutil

from arena.chaos.site import Site


def resident_mb(site: Site) -> dict[str, int]:
    """By process; PostgreSQL's with its children, pages that they share counted in each."""
    pids = {child.spec.name: child.pid for child in site.supervisor.children}
    pids |= {name: broker.pid for name, broker in site.brokers.items()} | {"postgres": site.postgres.pid}
    return {name: round(_resident(pid) / 1e6) for name, pid in pids.items() if pid is not None}


def _resident(pid: int) -> int:
    total = 0
    try:
        process = psutil.Process(pid)
        for member in (process, *process.children(recursive=True)):
            total += member.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total
