"""Who does something to a model, and why, as the caller says."""

from dataclasses import dataclass

from dlae_server.access.guard import caller_or
from dlae_server.errors import InvalidRequest

LONGEST_WHO, LONGEST_WHY = 100, 1000


@dataclass(frozen=True)
class Signature:
    """Who does something, and why; either may be empty."""

    who: str = ""
    why: str = ""


def signed(who: str, why: str) -> Signature:
    """Returns a signature that is allowed; who has proved who they are cannot sign as another.

    Raises:
        InvalidRequest: A part is too long, or holds what would disturb a terminal.
    """
    return Signature(
        _checked("who", caller_or(who), LONGEST_WHO), _checked("why", why, LONGEST_WHY)
    )


def _checked(what: str, text: str, longest: int) -> str:
    if len(text) > longest or not (text.isprintable() or not text):
        raise InvalidRequest(
            f"expected '{what}' as one line of at most {longest} characters, got {len(text)} "
            "characters or a control character"
        )
    return text
