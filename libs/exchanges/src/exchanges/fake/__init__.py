"""An exchange for tests: a process of its own over HTTP and WebSocket, which misbehaves as the real ones do.

It keeps the truth: what it executed, whatever it told anybody. Run: `python -m exchanges.fake`.
"""
