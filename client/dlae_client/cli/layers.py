"""`dlae-client layers`: the layer language. Needs no server."""

from dataclasses import asdict

import click

from dlae_client.cli.context import Session, command
from dlae_client.cli.descriptions import layer_page, layer_table
from dlae_client.errors import InvalidRequest
from dlae_core.config.descriptions import LayerDescription, layer_descriptions
from dlae_core.config.wording import suggestion


@click.command()
@click.argument("name", required=False)
@command
def layers(session: Session, name: str | None) -> None:
    """Lists the layers with their fields and defaults, or describes the layer NAME."""
    found = list(layer_descriptions().values()) if name is None else [_layer(name)]
    session.document({"layers": [asdict(layer) for layer in found]})
    session.print(layer_table(found) if name is None else layer_page(found[0]))


def _layer(name: str) -> LayerDescription:
    known = {
        spelling: layer for layer in layer_descriptions().values() for spelling in layer.spellings
    }
    wanted = name.strip().casefold()
    for spelling, layer in known.items():
        if spelling.casefold() == wanted:
            return layer
    hint = suggestion(name, known) or "; `dlae-client layers` lists them"
    raise InvalidRequest(f"there is no layer '{name}'{hint}", "USAGE")
