"""Pseudonyms: what tells sources and patients apart without telling who they are."""

import hashlib
import hmac
import re
from dataclasses import dataclass

from dlae_core.errors import UnusableDataset

_GROUP_DIGITS = 16
FOLDER = "folder"


def pseudonym(salt: bytes, purpose: str, text: str) -> str:
    """Returns 64 hexadecimal digits that the same text and salt give again, and nothing else.

    Without the salt a name cannot be found by trying all that are likely.
    """
    return hmac.new(salt, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Grouping:
    """How samples are told to belong to the same patient.

    Attributes:
        rule: `folder` for the first folder below the source, a regular expression that is searched
            in the path below the source, or empty: the patient that a DICOM file names, else,
            where volumes are cut into slices, the volume.
        slices: Whether volumes are cut into slices.
    """

    rule: str = ""
    slices: bool = False

    def group(self, key: str, patient: str) -> str:
        """Returns the name of a sample's group, never to be stored; empty where it has none.

        Args:
            key: Path of the source below the folder that was packed.
            patient: Who is shown, as the file names it.

        Raises:
            UnusableDataset: The rule does not apply to this sample.
        """
        if self.rule == FOLDER:
            if "/" not in key:
                raise UnusableDataset(["lies in no folder below the source, so has no group"])
            return key.partition("/")[0]
        if self.rule:
            found = self._expression().search(key)
            if found is None:
                raise UnusableDataset([f"'{key}' has no match for the group '{self.rule}'"])
            return found[1] if found.re.groups else found[0]
        return patient or (key if self.slices else "")

    def check(self) -> None:
        """Checks the rule.

        Raises:
            UnusableDataset: It is no regular expression.
        """
        if self.rule and self.rule != FOLDER:
            self._expression()

    def _expression(self) -> re.Pattern[str]:
        try:
            return re.compile(self.rule)
        except re.error as error:
            message = f"expected 'folder' or a regular expression for the groups, got '{self.rule}'"
            raise UnusableDataset([f"{message}: {error}"]) from error


def short_pseudonym(salt: bytes, purpose: str, text: str) -> str:
    """Returns the first 16 digits of the pseudonym, enough to tell groups apart."""
    return pseudonym(salt, purpose, text)[:_GROUP_DIGITS]
