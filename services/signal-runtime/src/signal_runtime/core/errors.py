"""Why a reply is no decision. The class is the error's name, on the wire too."""


class BadReply(ValueError):
    """Nothing is traded on it."""


class EmptyReply(BadReply):
    """There is nothing in it."""


class ReplyTooLong(BadReply):
    """Longer than is read."""


class TruncatedReply(BadReply):
    """It breaks off: what it had still to say is unknown."""


class NoDecision(BadReply):
    """It holds no JSON in the format of a decision."""


class AmbiguousReply(BadReply):
    """It can be read in two ways."""


class BadField(BadReply):
    """A field is missing, of the wrong kind or out of its bounds."""
