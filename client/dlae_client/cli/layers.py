"""`dlae-client layers`: the layer language. Needs no server."""

from dataclasses import asdict

import click

from dlae_client.cli.context import Session, examples, local_command
from dlae_client.cli.descriptions import layer_page, layer_table
from dlae_client.errors import InvalidRequest
from dlae_core.config.descriptions import LayerDescription, layer_descriptions
from dlae_core.config.wording import suggestion


def _names(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    names = (layer.name for layer in layer_descriptions().values())
    return [name for name in names if name.casefold().startswith(begun.casefold())]


@click.command(epilog=examples("layers", "layers 'Convolution 2D'"))
@click.argument("name", required=False, shell_complete=_names)
@local_command
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
