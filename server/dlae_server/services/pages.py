"""Sizes of pages."""

DEFAULT_SIZE = 100
LARGEST_SIZE = 1000


def page_size(asked: int) -> int:
    """Returns how many entries a page has: 100 where none is asked for, at most 1000."""
    return min(asked, LARGEST_SIZE) if asked > 0 else DEFAULT_SIZE
