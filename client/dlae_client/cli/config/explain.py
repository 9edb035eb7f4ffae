"""`dlae-client config explain`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click

from dlae_client.cli.context import Session, examples, local_command
from dlae_client.cli.descriptions import layer_page, section_page, setting_page
from dlae_client.errors import InvalidRequest
from dlae_core.config.descriptions import (
    Description,
    LayerDescription,
    SectionDescription,
    layer_descriptions,
    section_descriptions,
)
from dlae_core.config.wording import suggestion

Subject = SectionDescription | Description | LayerDescription

_PAGES: Mapping[type[Subject], tuple[str, Callable[[Any], str]]] = {
    SectionDescription: ("section", section_page),
    Description: ("setting", setting_page),
    LayerDescription: ("layer", layer_page),
}


@click.command(
    epilog=examples("config explain validation_split", "config explain 'Max pooling 2D'")
)
@click.argument("key")
@local_command
def explain(session: Session, key: str) -> None:
    """Explains KEY: a setting, a section, a layer, or a field of a layer.

    Such as batch_size, optimizer.beta1, augmentation, "Max pooling 2D" or Dropout.rate.
    """
    subjects = _subjects(key)
    pages = [_PAGES[type(subject)][1](subject) for subject in subjects]
    session.print("\n\n".join(pages))
    values = [{"kind": _PAGES[type(subject)][0], **asdict(subject)} for subject in subjects]
    session.document({"explained": values})


def _subjects(key: str) -> list[Subject]:
    """Returns what a name means, whatever its case and with blanks for underscores.

    Raises:
        InvalidRequest: It means nothing; names what is near.
    """
    known = [*_settings(), *_layers()]
    wanted = _folded(key)
    found = list(dict.fromkeys(subject for name, subject in known if _folded(name) == wanted))
    if not found:
        hint = suggestion(key, (name for name, _ in known))
        hint = hint or "; `dlae-client layers` lists the layers, docs/configuration.md the settings"
        raise InvalidRequest(f"there is no setting and no layer '{key}'{hint}", "USAGE")
    return found


def _settings() -> Iterator[tuple[str, Subject]]:
    for section in section_descriptions().values():
        yield section.name, section
        for setting in section.settings:
            yield setting.path, setting
            yield setting.key, setting
            yield from ((part.path, part) for part in setting.parts)


def _layers() -> Iterator[tuple[str, Subject]]:
    for layer in layer_descriptions().values():
        for spelling in layer.spellings:
            yield spelling, layer
            yield from ((f"{spelling}.{field.key}", field) for field in layer.fields)


def _folded(name: str) -> str:
    return name.strip().replace(" ", "_").casefold()
