"""Headlines from templates: plain sentences without links, markup or instructions."""

SOURCE = "synthetic-wire"
CHAIN_SOURCE = "synthetic-chain"

RISES = (
    "{name} jumps as buyers rush in",
    "Short sellers caught out by sudden rally in {name}",
    "{name} surges on heavy volume",
)
FALLS = (
    "{name} slides as sellers take over",
    "Long positions unwound in sudden drop of {name}",
    "{name} tumbles on heavy volume",
)
QUIET = (
    "Traders weigh the next move in {name}",
    "Funding in {name} perpetuals draws attention",
    "Analysts divided over {name}",
    "Open interest in {name} under watch",
)
NAMES = {
    "BTC": "Bitcoin", "ETH": "Ether", "SOL": "Solana", "BNB": "BNB", "XRP": "XRP", "DOGE": "Dogecoin",
}  # fmt: skip


def headline(choice: float, templates: tuple[str, ...], name: str) -> str:
    """`choice` is from 0 up to 1."""
    return templates[int(choice * len(templates))].format(name=name)
