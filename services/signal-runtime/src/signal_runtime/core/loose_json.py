"""One bracketed region of a text as strict JSON: what models write instead of it, where that has one meaning only.

Outside strings: full-width signs and digits, comments, commas before a closing bracket, Python's None, True, False.
Strings: in “ ”, ＂ ＂ or ' ' as well; a ' within a word does not end its string.
"""

import re

from signal_runtime.core.errors import NoDecision, TruncatedReply

NESTING_MAX = 16

_STRUCTURE = str.maketrans(
    "｛｝［］【】：，　０１２３４５６７８９．－＋−\ufeff\u200b\u00a0", "{}[][]:, 0123456789.-+-   "
)
_OPENING, _CLOSING = "{[", "}]"
_QUOTES = "\"＂“”'"
_follows_a_string = re.compile(r"\s*(?:[,:}\]，：｝］】#]|//|/\*|$)").match
_python = re.compile(r"\b(?:None|True|False)\b")
_JSON = {"None": "null", "True": "true", "False": "false"}


def as_json(text: str, start: int) -> tuple[str, int]:
    """From the bracket at `start` to its closing one, as JSON; and where that ends."""
    out: list[str] = []
    run: list[str] = []
    depth, at = 0, start
    while at < len(text):
        char = text[at].translate(_STRUCTURE)
        if char == "#" or (char == "/" and text[at + 1 : at + 2] in ("/", "*")):
            at = _comment_end(text, at)
            continue
        if char in _QUOTES:
            out.append(_words(run))
            at = _string(out, text, at)
            continue
        at += 1
        depth += (char in _OPENING) - (char in _CLOSING)
        if char in _CLOSING:
            _drop_comma(run)
        run.append(char)
        if depth > NESTING_MAX:
            raise NoDecision(f"brackets nest deeper than {NESTING_MAX}")
        if depth == 0:
            return "".join([*out, _words(run)]), at
    raise TruncatedReply("its JSON does not end")


def _comment_end(text: str, at: int) -> int:
    closing = "*/" if text[at + 1 : at + 2] == "*" and text[at] == "/" else "\n"
    end = text.find(closing, at)
    if end < 0:
        raise TruncatedReply("a comment in its JSON does not end")
    return end + len(closing)


def _words(run: list[str]) -> str:
    """What stood since the last string; the run begins anew."""
    text = _python.sub(lambda found: _JSON[found[0]], "".join(run))
    run.clear()
    return text


def _drop_comma(run: list[str]) -> None:
    """The one before a closing bracket. A run that holds no more than a comma follows a string."""
    for index in range(len(run) - 1, -1, -1):
        if not run[index].isspace():
            if run[index] == ",":
                run[index] = " "
            return


def _string(out: list[str], text: str, at: int) -> int:
    """Copy a string from its opening quote on; where it ends. One that never does leaves the region open."""
    quote = text[at]
    out.append('"')
    at += 1
    while at < len(text):
        char = text[at]
        if char == "\\":
            escaped = text[at : at + 2]
            out.append("'" if escaped == "\\'" else escaped)
            at += 2
        elif _closes(text, at, quote):
            out.append('"')
            return at + 1
        else:
            out.append('\\"' if char == '"' else char if char >= " " else f"\\u{ord(char):04x}")
            at += 1
    return at


def _closes(text: str, at: int, quote: str) -> bool:
    char = text[at]
    if quote == "'":
        return char == "'" and _follows_a_string(text, at + 1) is not None
    return char == quote if quote in '"＂' else char in "“”"
