"""`arena decisions check`: recorded replies through parser, gate and venue."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from arena.cli import main
from arena.exits import Exit

PUBLISHED = Path(__file__).parents[2].parent / "shared" / "data" / "alpha_arena" / "conversations.json.gz"

PROMPT = """The current time is 2025-10-28 06:49:34.755756 and you've been invoked 3 times.
### ALL BTC DATA
current_price = 60000.5, current_ema20 = 60001.0
### ALL DOGE DATA
current_price = 0.20034, current_ema20 = 0.199
Available Cash: 5000
**Current Account Value:** 10300
Current live positions & performance:
{'symbol': 'DOGE', 'quantity': -10000.0, 'entry_price': 0.21, 'leverage': 10, 'exit_plan': {'stop_loss': 0.3}}
Sharpe Ratio: 0.1"""
HOLD = {"DOGE": {"signal": "hold", "quantity": -10000, "coin": "DOGE"}}
BUY = {"BTC": {"signal": "buy_to_enter", "quantity": 0.1, "leverage": 5, "coin": "BTC"}}


def entry(response: Any = HOLD, **fields: Any) -> dict[str, Any]:
    return {"id": "a", "user_prompt": PROMPT, "llm_response": response} | fields


class Ran:
    def __init__(self, code: int, capsys: pytest.CaptureFixture[str]) -> None:
        output = capsys.readouterr()
        self.code, self.errors = code, output.err
        self.figures: dict[str, Any] = json.loads(output.out.splitlines()[-1])

    def __getitem__(self, name: str) -> Any:
        return self.figures[name]


@pytest.fixture
def ran(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(content: Any) -> Ran:
        file = tmp_path / "conversations.json"
        file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        with pytest.raises(SystemExit) as ended:
            main(["decisions", "check", str(file), "--json"])
        return Ran(int(ended.value.code or 0), capsys)

    return run


def test_the_published_decisions_are_parsed_but_for_the_one_that_is_empty(ran: Any) -> None:
    if not PUBLISHED.exists():
        pytest.skip("the published decisions are not there: ../shared/data/alpha_arena/conversations.json.gz")
    told = ran(PUBLISHED.read_bytes())

    assert (told.code, told["conversations"], told["parsed"], told["failed"]) == (Exit.OK, 100, 99, 1)
    assert told["errors"] == {"EmptyReply": 1}
    # Gemini's: two entries in one decision, two closes in two
    assert (told["would_trade"], told["approved"], told["filled"], told["without_market"]) == (3, 4, 4, 0)


@pytest.mark.parametrize(
    "content",
    [
        {"conversations": [entry()]},
        [entry()],
        entry(),
        {"a": entry()},
        {"data": [entry(json.dumps(HOLD))]},
        [{"prompt": PROMPT, "response": f"So:\n```json\n{json.dumps(HOLD)}\n```"}],
        [entry({"failed_json_response_raw_text": json.dumps(HOLD)})],
        gzip.compress(json.dumps([entry()]).encode(), mtime=0),
        b"\xef\xbb\xbf" + json.dumps([entry()]).encode(),
        json.dumps([entry()]).encode("utf-16"),
        json.dumps(entry()).encode() + b"\n\n",
    ],
)
def test_one_decision_in_every_shape_of_file(ran: Any, content: Any) -> None:
    told = ran(content)

    assert (told.code, told["conversations"], told["parsed"], told["failed"]) == (Exit.OK, 1, 1, 0)
    assert told["parts"] == {"hold": 1}


@pytest.mark.parametrize("content", [[], {"conversations": []}])
def test_an_empty_list_holds_no_conversations(ran: Any, content: Any) -> None:
    told = ran(content)

    assert (told.code, told["conversations"], told["parsed"], told["failed"]) == (Exit.OK, 0, 0, 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"\x00\x01\x02", "not JSON"),
        (b'{"conversations": [{"id": 1', "not JSON"),
        (b"12", "a number: neither a list of conversations"),
        (b'{"trades": []}', "an object: neither a list of conversations"),
        (gzip.compress(b"[]" * 1000, mtime=0)[:-9], "end-of-stream"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_file_without_conversations_ends_with_what_it_is(ran: Any, content: bytes, said: str) -> None:
    told = ran(content)

    assert told.code == 2
    assert said in told["message"]


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["decisions", "check", str(tmp_path / "none.json"), "--json"])

    assert ended.value.code == 2
    assert "No such file" in json.loads(capsys.readouterr().out.splitlines()[-1])["message"]


def test_what_cannot_be_read_is_named_and_the_others_go_on(ran: Any) -> None:
    told = ran(
        [entry(), 7, None, "x", {"id": "b"}, entry(None), entry(""), entry("Wait."), entry({"BTC": {"signal": "up"}})]
    )

    assert (told.code, told["conversations"], told["parsed"], told["failed"], told["malformed"]) == (0, 9, 1, 8, 5)
    assert told["errors"] == {"BadField": 1, "EmptyReply": 1, "MalformedEntry": 5, "NoDecision": 1}
    assert [(each["index"], each["detail"]) for each in told["failures"]][:4] == [
        (1, "is a number, not an object"),
        (2, "is null, not an object"),
        (3, "is a text, not an object"),
        (4, "llm_response: missing"),
    ]
    assert told["failures"][-1] == {
        "index": 8, "id": "a", "error": "BadField",
        "detail": "BTC.signal: 'up' is none of hold, buy_to_enter, sell_to_enter, close_position, cancel_orders, "
        "change_exits",
    }  # fmt: skip


def test_json_lines_name_the_line_that_is_none(ran: Any) -> None:
    told = ran(b"\n".join([json.dumps(entry()).encode(), b'{"id": ', json.dumps(entry()).encode()]))

    assert (told["conversations"], told["parsed"], told["failures"][0]["index"]) == (3, 2, 1)
    assert told["failures"][0]["detail"].startswith("not JSON")


def test_bytes_that_are_no_utf8_spoil_nothing_but_themselves(ran: Any) -> None:
    content = json.dumps([entry({"DOGE": {"signal": "hold", "justification": "@@"}})]).encode()

    assert ran(content.replace(b"@@", b"\xff\xfe"))["parsed"] == 1


def test_a_reply_of_megabytes_is_too_long_and_its_neighbours_are_read(ran: Any) -> None:
    told = ran([entry("x" * 2_000_000), entry()])

    assert (told["parsed"], told["errors"]) == (1, {"ReplyTooLong": 1})


def test_numbers_are_checked_as_they_were_written(ran: Any) -> None:
    content = json.dumps([entry({"DOGE": {"signal": "hold", "quantity": 1}})]).replace(
        '"quantity": 1', '"quantity": NaN'
    )

    assert ran(content.encode())["failures"][0]["detail"] == "NaN is no number"


def test_orders_meet_the_prices_the_account_and_the_positions_of_their_prompt(ran: Any) -> None:
    """0.1 BTC at 60,000.5 is 6,000 USD at 5x: 1,200 of the 5,000 that are free. DOGE is held, so it can be closed."""
    told = ran([entry(BUY), entry({"DOGE": {"signal": "close_position"}})])

    assert (told["would_trade"], told["approved"], told["filled"], told["rejected"]) == (2, 2, 2, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"leverage": 11}, "LEVERAGE_ABOVE_MAX"),  # the demo's 10
        ({"quantity": 0.5}, "NOTIONAL_ABOVE_MAX"),  # 30,000 USD, the demo's 20,000
        ({"quantity": 0.3, "leverage": 2}, "MARGIN_INSUFFICIENT"),  # 9,000 USD of margin, 5,000 free
        ({"stop_loss": 61000}, "EXIT_PLAN_INVALID"),  # above the price of what is bought
        ({"coin": "PEPE"}, "INSTRUMENT_NOT_ALLOWED"),
    ],
)
def test_what_the_gate_refuses_is_counted_by_its_code(ran: Any, changes: dict[str, Any], code: str) -> None:
    fields = BUY["BTC"] | changes

    told = ran([entry({str(fields["coin"]): fields})])

    assert (told["rejected"], told["rejected_codes"], told["filled"]) == (1, {code: 1}, 0)
    assert (told["rejections"][0]["index"], told["rejections"][0]["code"]) == (0, code)


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ("", "PRICE_MISSING"),
        ("ALL BTC DATA current_price = 0", "PRICE_MISSING"),
        ("ALL BTC DATA current_price = 99999999999999999999", "PRICE_MISSING"),
        ("ALL ETH DATA current_price = 4000", "INSTRUMENT_NOT_ALLOWED"),
        (PROMPT.replace("5000", "-1"), "MARGIN_INSUFFICIENT"),
        (PROMPT.replace("-10000.0", "1e30"), ""),
        (PROMPT.replace("2025-10-28", "2025-99-99"), ""),
        (PROMPT.replace("{'symbol'", "{'symbol"), ""),
        (PROMPT * 50, ""),
    ],
)
def test_a_prompt_is_read_as_far_as_it_goes_and_nothing_is_made_up(ran: Any, prompt: str, code: str) -> None:
    told = ran([entry(BUY, user_prompt=prompt)])

    assert told.code == Exit.OK
    assert told["rejected_codes"] == ({code: 1} if code else {})
