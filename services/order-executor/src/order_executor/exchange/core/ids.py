"""Names that two processes, or one twice, give alike."""

from base64 import b32encode
from hashlib import sha256
from uuid import UUID

LENGTH = 32
"""Of the 51 letters that 256 bits make: 160 bits, and what OKX takes (1 to 32 letters and digits, no hyphen)."""


def client_order_id(intent_id: UUID, length: int = LENGTH) -> str:
    """Letters a-z and digits 2-7."""
    return b32encode(sha256(intent_id.bytes).digest()).decode().rstrip("=").lower()[:length]
