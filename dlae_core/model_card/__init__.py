"""A model described from its bundle: for people, for programs, and as MONAI bundles do it.

Everything comes from the bundle's files, so that a card never disagrees with the model. Nothing in
it names a path, a sample, a group of samples or a person.
"""

from dlae_core.model_card.facts import Facts, Identity, card
from dlae_core.model_card.markdown import card_text
from dlae_core.model_card.monai import monai_metadata

__all__ = ["Facts", "Identity", "card", "card_text", "monai_metadata"]
