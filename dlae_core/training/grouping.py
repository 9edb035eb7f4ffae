"""Batches that are handed to the device together."""

from collections.abc import Iterable, Iterator

from dlae_core.data.pipeline import Batch


def grouped(batches: Iterable[Batch], most: int) -> Iterator[list[Batch]]:
    """Yields neighbouring batches of equal size together.

    Args:
        batches: In their order.
        most: Of one group.
    """
    group: list[Batch] = []
    for batch in batches:
        if group and batch.count != group[0].count:
            yield group
            group = []
        group.append(batch)
        if len(group) == most:
            yield group
            group = []
    if group:
        yield group
