"""Which layer of a file is which layer of a network."""

from itertools import combinations

import pytest

from dlae_core.transfer.alignment import aligned

A, B, C = [(3, 3, 1, 8), (8,)], [(3, 3, 8, 8), (8,)], [(1, 1, 8, 2), (2,)]
D = [(1, 1, 8, 5), (5,)]


@pytest.mark.parametrize(
    ("wanted", "found", "pairs"),
    [
        ([A, B, C], [A, B, C], [(0, 0), (1, 1), (2, 2)]),
        # Another number of classes.
        ([A, B, D], [A, B, C], [(0, 0), (1, 1)]),
        # A layer more on one side, at the beginning or within.
        ([B, B, C], [A, B, B, C], [(0, 1), (1, 2), (2, 3)]),
        ([A, D, B, C], [A, B, C], [(0, 0), (2, 1), (3, 2)]),
        ([A], [], []),
        ([A, B], [B, A], [(1, 0)]),
    ],
)
def test_as_many_as_possible_are_matched_in_order(
    wanted: list[list[tuple[int, ...]]],
    found: list[list[tuple[int, ...]]],
    pairs: list[tuple[int, int]],
) -> None:
    assert aligned(wanted, found) == pairs


def test_no_choice_of_pairs_is_longer() -> None:
    kinds = (A, B, C)
    for number in range(3**4):
        wanted = [kinds[number // 3**place % 3] for place in range(4)]
        found = [C, A, B, B, A]
        longest = max(
            size
            for size in range(5)
            for left in combinations(range(4), size)
            for right in combinations(range(5), size)
            if all(wanted[i] == found[j] for i, j in zip(left, right, strict=True))
        )
        pairs = aligned(wanted, found)
        assert len(pairs) == longest
        assert all(wanted[i] == found[j] for i, j in pairs)
        assert pairs == sorted(pairs)
