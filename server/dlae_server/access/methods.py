"""Tables of all methods: what each of them is to something."""

from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")


def of_method(table: Mapping[str, Mapping[str, Value]], method: str, unknown: Value) -> Value:
    """Returns what a table says of `/service/method`.

    Args:
        table: By service, then by name.
        method: As gRPC names it.
        unknown: What is returned of a method that the table has not.
    """
    service, _, name = method.strip("/").rpartition("/")
    return table.get(service, {}).get(name, unknown)
