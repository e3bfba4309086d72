"""`arena ledger import`: the tracker's books against a file of closed trades."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from arena.cli import main
from arena.exits import Exit

PUBLISHED = Path(__file__).parents[2].parent / "shared" / "data" / "alpha_arena" / "trades.json.gz"

ROW: dict[str, Any] = {
    "id": "a",
    "model_id": "gpt-5",
    "symbol": "XRP",
    "side": "long",
    "quantity": 100,
    "entry_price": 2.5,
    "exit_price": 2.6,
    "entry_commission_dollars": 0.1125,
    "exit_commission_dollars": 0.117,
    "realized_net_pnl": 9.7705,  # 100 * (2.6 - 2.5) - 0.1125 - 0.117
    "entry_time": 1761314029.249,
    "exit_time": 1761418991.842,
}
SHORT = ROW | {"id": "b", "side": "short", "quantity": -100, "realized_net_pnl": -10.2295}


class Ran:
    def __init__(self, code: int, capsys: pytest.CaptureFixture[str]) -> None:
        output = capsys.readouterr()
        self.code, self.errors = code, output.err
        self.figures: dict[str, Any] = json.loads(output.out.splitlines()[-1])


@pytest.fixture
def ran(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(content: bytes | list[Mapping[str, Any]]) -> Ran:
        file = tmp_path / "trades.json"
        file.write_bytes(content if isinstance(content, bytes) else json.dumps({"trades": content}).encode())
        with pytest.raises(SystemExit) as ended:
            main(["ledger", "import", str(file), "--json"])
        return Ran(int(ended.value.code or 0), capsys)

    return run


def test_every_published_trade_is_matched_to_the_cent(ran: Any) -> None:
    if not PUBLISHED.exists():
        pytest.skip("the published trades are not there: ../shared/data/alpha_arena/trades.json.gz")
    told = ran(PUBLISHED.read_bytes())

    assert told.code == Exit.OK
    assert (told.figures["trades"], told.figures["matched"], told.figures["skipped"]) == (230, 230, 0)
    assert told.figures["max_abs_error_usd"] < 0.01
    assert told.figures["books_balanced"]
    # two rows are one position: two entries, closed at their average, each printed at its own price
    assert (told.figures["matched_as_printed"], told.figures["entries_at_average"]) == (135, 95)


def test_long_and_short_realise_what_they_should_net_of_both_commissions(ran: Any) -> None:
    told = ran([ROW, SHORT])

    assert (told.code, told.figures["matched"], told.figures["max_abs_error_usd"]) == (Exit.OK, 2, 0)
    assert told.figures["realised_net_usd"] == -0.459  # 10 - 10 - 2 * 0.2295
    assert told.figures["commissions_usd"] == 0.459


def test_a_size_that_is_not_signed_takes_the_side_s_sign(ran: Any) -> None:
    assert ran([SHORT | {"quantity": 100}]).figures["matched"] == 1


def test_an_entry_of_several_fills_is_posted_at_the_average_that_the_venue_s_closed_pnl_stands_for(ran: Any) -> None:
    # 50 at 2.49 and 50 at 2.50: average 2.495, printed is the last; 100 * (2.6 - 2.495) = 10.5
    row = ROW | {"realized_net_pnl": 10.2705, "exit_closed_pnl": 10.383}
    told = ran([row])

    assert (told.code, told.figures["matched"], told.figures["entries_at_average"]) == (Exit.OK, 1, 1)
    assert (told.figures["matched_as_printed"], told.figures["max_abs_error_as_printed_usd"]) == (0, 0.5)


def test_a_difference_that_slippage_cannot_explain_is_told(ran: Any) -> None:
    # the closed P&L would stand for an entry at 2.0, a fifth below the price in the row
    told = ran([ROW | {"realized_net_pnl": 59.7705, "exit_closed_pnl": 59.883}])

    assert (told.code, told.figures["matched"], told.figures["max_abs_error_usd"]) == (Exit.UNBALANCED, 0, 50)
    assert "row 1 (a): the books say -50" in told.errors


def test_a_net_figure_that_contradicts_the_venue_s_closed_pnl_is_told(ran: Any) -> None:
    told = ran([ROW | {"realized_net_pnl": 10.7705, "exit_closed_pnl": 9.883}])

    assert (told.code, told.figures["matched"], told.figures["max_abs_error_usd"]) == (Exit.UNBALANCED, 0, 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"entry_price": None}, "entry_price: "),
        ({"entry_price": "2.5"}, "entry_price: must be a JSON number"),
        ({"entry_price": -2.5}, "entry_price: must be above 0"),
        ({"exit_price": float("nan")}, "exit_price: must be finite"),
        ({"exit_price": float("inf")}, "exit_price: must be finite"),
        ({"exit_price": True}, "exit_price: must be a JSON number"),
        ({"quantity": -100}, "quantity: must be above zero where side is long"),
        ({"quantity": 0}, "quantity: must not be zero"),
        ({"quantity": 1e300}, "quantity: must be above"),
        ({"quantity": 10**400}, "quantity: must be above"),
        ({"entry_commission_dollars": []}, "entry_commission_dollars: must be a JSON number"),
        ({"realized_net_pnl": "9.7705"}, "realized_net_pnl: must be a JSON number"),
        ({"side": "up"}, "side: "),
        ({"symbol": "X/RP"}, "symbol: "),
        ({"exit_sz": 60}, "exit_sz: must be the size of quantity"),
        ({"exit_time": 1}, "exit_time: must not be before entry_time"),
        ({"entry_time": 1e300}, "entry_time: must be Unix seconds"),
        ({"id": "b"}, "id: stands in row 1 too"),
    ],
)
def test_a_malformed_row_is_named_and_skipped(ran: Any, change: dict[str, Any], said: str) -> None:
    told = ran([SHORT, ROW | change])

    assert told.code == Exit.FAILED
    assert (told.figures["trades"], told.figures["matched"], told.figures["skipped"]) == (1, 1, 1)
    assert f"row 2: {said}" in told.errors


@pytest.mark.parametrize("name", sorted(ROW))
def test_a_missing_field_is_named(ran: Any, name: str) -> None:
    told = ran([{key: value for key, value in ROW.items() if key != name}])

    assert told.code == Exit.FAILED
    assert f"row 1: {name}: Field required" in told.errors


@pytest.mark.parametrize("row", ["text", 7, None, []])
def test_a_row_that_is_no_object_is_named(ran: Any, row: Any) -> None:
    assert "row 1: Input should be" in ran([row]).errors


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b"id,side\na,long\n", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"trades": {}}', "neither a list"),
        (b"12", "neither a list"),
        (gzip.compress(json.dumps([ROW]).encode(), mtime=0)[:-20], "ended before"),
        (b"\x1f\x8bnot gzip at all", ""),
    ],
)
def test_what_is_no_file_of_trades_is_refused_in_words(ran: Any, content: bytes, said: str) -> None:
    told = ran(content)

    assert told.code == Exit.FAILED
    assert told.figures["error"] == "failed"
    assert said in told.figures["message"]


def test_a_number_beyond_all_bounds_is_named(ran: Any) -> None:
    content = json.dumps([ROW]).replace('"quantity": 100', '"quantity": 1e9999999999999999999')

    assert "row 1: quantity: must be finite" in ran(content.encode()).errors


def test_the_list_may_stand_alone_packed_or_not(ran: Any) -> None:
    assert ran(gzip.compress(json.dumps([ROW]).encode())).figures["matched"] == 1
    assert ran(b"\xef\xbb\xbf" + json.dumps([ROW]).encode()).figures["matched"] == 1
    assert ran(b"[]").figures == ran(b'{"trades": []}').figures


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ledger", "import", "nowhere.json"])
    assert ended.value.code == Exit.USAGE
