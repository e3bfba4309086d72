"""The one chance to put a reply right: the model is shown what it said and the name of its error."""

from signal_runtime.core.errors import BadReply
from signal_runtime.core.prompt import Language

REPLY_SHOWN_MAX = 8_000
"""Characters of its own reply."""

_TEXTS: dict[Language, str] = {
    "en": (
        "Your reply could not be used. {error}\n"
        "Answer once more, for the same round, with the JSON object alone: every field as it was asked for, nothing "
        "before it and nothing after it."
    ),
    "zh": (
        "你的回复无法使用。{error}\n"
        "请针对同一轮再回答一次：只输出 JSON 对象，字段与要求完全一致，前后不要有任何其他内容。"
    ),
}


def shown(reply: str) -> str:
    """Its own reply, as far as it is shown back; a model's turn must not be empty."""
    return reply[:REPLY_SHOWN_MAX].strip() or "(no text)"


def asked_again(error: BadReply, language: Language) -> str:
    return _TEXTS[language].format(error=f"{type(error).__name__}: {error}"[:500])
