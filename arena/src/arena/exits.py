"""Exit codes of the command line. They do not change."""

from enum import IntEnum


class Exit(IntEnum):
    OK = 0
    FAILED = 1
    """Something nobody foresaw, or input that cannot be read; the message says what."""
    USAGE = 2
    """A wrong option or value."""
    DATA_DIR = 3
    """The data folder is another's, in use, or holds no run to go on with."""
    PART = 4
    """Kafka, PostgreSQL, the topics or the tables could not be made ready."""
    SERVICE = 5
    """A service kept dying."""
    NOT_DRAINED = 6
    """The run did not come to rest in time."""
    UNBALANCED = 7
    """The books do not balance, or the equity cannot be explained."""
    UNHEALTHY = 8
    """`doctor` or `status` found something wrong."""
    INTERRUPTED = 130
    """Ctrl-C before a run of fixed length was over."""


MEANING = {
    Exit.OK: "done",
    Exit.FAILED: "something unforeseen, or input that cannot be read",
    Exit.USAGE: "wrong option or value",
    Exit.DATA_DIR: "data folder refused: another's, in use, or nothing to resume",
    Exit.PART: "Kafka, PostgreSQL, topics or tables not ready",
    Exit.SERVICE: "a service kept dying",
    Exit.NOT_DRAINED: "the run did not come to rest",
    Exit.UNBALANCED: "the books do not balance",
    Exit.UNHEALTHY: "doctor or status found something wrong",
    Exit.INTERRUPTED: "interrupted before its end",
}


class Stopped(Exception):
    """Ends the command with this code and one message for a person."""

    def __init__(self, code: Exit, message: str) -> None:
        super().__init__(message)
        self.code = code
