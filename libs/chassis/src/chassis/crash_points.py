"""Named points between two effects where a test kills the process: `CHASSIS_CRASH_POINT=step.after_commit:2`.

SIGKILL at the second passing, as a power cut would; `step.after_ack:2:STOP` freezes the process there instead, as a
stalled machine would. Whatever is armed belongs to one life of one process; without the variable a point is one look
at an empty dict.
"""

import os
import re
import signal
from importlib.resources import files

_left: dict[str, int] = {}
"""Passings of the armed point until it strikes."""
_strike = {"": signal.SIGKILL, "STOP": signal.SIGSTOP}
_how: dict[str, signal.Signals] = {}


def crash_point(name: str) -> None:
    """`name` is a literal, so that `points` finds it."""
    if _left and name in _left:
        _left[name] -= 1
        if not _left[name]:
            os.kill(os.getpid(), _how[name])


def arm(point: str) -> None:
    """`NAME:n` or `NAME:n:STOP`. Nothing where it is empty."""
    if not point:
        return
    name, _, rest = point.partition(":")
    nth, _, how = rest.partition(":")
    if not name or not nth.isdecimal() or int(nth) < 1 or how not in _strike:
        raise ValueError(f"CHASSIS_CRASH_POINT: NAME:n or NAME:n:STOP with n from 1, not {point!r}")
    _left[name], _how[name] = int(nth), _strike[how]


def points(package: str) -> list[str]:
    """Every point of an installed package's modules, in the order of the source."""
    modules = sorted((one for one in files(package).iterdir() if one.name.endswith(".py")), key=lambda one: one.name)
    return [name for module in modules for name in re.findall(r'crash_point\("([\w.]+)"\)', module.read_text())]


arm(os.environ.get("CHASSIS_CRASH_POINT", ""))
