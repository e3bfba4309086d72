"""Words that look like a known name and are none: letters of other alphabets in the shape of Latin ones."""

import re
import unicodedata
from collections.abc import Collection

_SHAPES = {
    "A": "АаΑαᴀ", "B": "ВвΒβьʙ", "C": "СсϹϲᴄ", "D": "ԁᴅ", "E": "ЕеΕεᴇ", "G": "ɡԌɢ", "H": "НнΗһհʜ",
    "I": "ІіΙιɩɪ", "J": "ЈјᴊՅ", "K": "КкΚκᴋ", "L": "ʟⅼӏԼ", "M": "МмΜᴍ", "N": "ΝոɴՈ", "O": "ОоΟοᴏօՕ",
    "P": "РрΡρᴘ", "Q": "ԛԚ", "R": "ʀг", "S": "ЅѕՏ", "T": "ТтΤτᴛ", "U": "υսᴜՍ", "V": "ѵνᴠ", "W": "ԝωᴡ",
    "X": "ХхΧχ", "Y": "УуΥγʏ", "Z": "Ζᴢ",
}  # fmt: skip
_LOOKS_LIKE = {char: latin for latin, chars in _SHAPES.items() for char in chars}
_DIGITS = {"0": "O", "1": "I", "3": "E", "5": "S"}
_ALPHABETS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")
words = re.compile("[0-9A-Za-z\u00c0-\u058f\u13a0-\u13ff\u1d00-\u1d7f]+").findall
"""Runs of letters of the alphabets that resemble one another; Chinese around them is no part of a word."""


def disguised(word: str, names: Collection[str]) -> bool:
    """It mixes alphabets, or looks like one of the names (in capitals) without being it."""
    if word.upper() in names:
        return False
    return len(_alphabets(word)) > 1 or skeleton(word) in names


def skeleton(word: str) -> str:
    """What the word looks like, in Latin capitals: D0GE is DOGE."""
    return "".join(_LOOKS_LIKE.get(char) or _DIGITS.get(char) or char.upper() for char in word)


def _alphabets(word: str) -> set[str]:
    if word.isascii():
        return set()
    named = (unicodedata.name(char, "").split(" ", 1)[0] for char in word if char.isalpha())
    return {name for name in named if name in _ALPHABETS}
