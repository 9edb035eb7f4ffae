"""Names of models and references to them."""

import pytest

from dlae_server.errors import InvalidRequest
from dlae_server.models.registry import checked_alias, checked_name, parse_reference

NO_NAMES = ["", "UPPER", "-a", ".a", "a b", "../a", "a/b", "a\n", "\u00e4", "a" * 65]
NO_VERSIONS = [
    "a@",
    "a@X",
    "a@-x",
    "a@ü",
    "a@" + "x" * 33,
    "a@1x",
    "a@0",
    "a@01",
    "a@-1",
    "a@1@2",
    "a@1\n",
    "a@1234567890",
    "@1",
]


@pytest.mark.parametrize("name", ["a", "7", "a.b-c_d", "a" * 64])
def test_a_name_is_a_reference_with_or_without_a_version(name: str) -> None:
    assert checked_name(name) == name
    assert parse_reference(name) == (name, None)
    assert parse_reference(f"{name}@12") == (name, 12)


@pytest.mark.parametrize("alias", ["production", "p", "v1.2-rc_3", "a" * 32])
def test_an_alias_stands_where_a_version_could(alias: str) -> None:
    assert checked_alias(alias) == alias
    assert parse_reference(f"tissue@{alias}") == ("tissue", alias)


@pytest.mark.parametrize("alias", ["", "1", "1a", "A", "a b", "a" * 33, "a@b", "-a", "a\n"])
def test_what_is_no_alias_is_refused(alias: str) -> None:
    with pytest.raises(InvalidRequest, match="expected an alias"):
        checked_alias(alias)


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="expected a model name"):
        checked_name(name)


@pytest.mark.parametrize("reference", [*NO_NAMES, *NO_VERSIONS])
def test_what_is_no_reference_is_refused(reference: str) -> None:
    with pytest.raises(InvalidRequest, match="'name@version'"):
        parse_reference(reference)


def test_a_long_text_comes_back_short() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_reference("A" * 10_000)
    assert len(str(caught.value)) < 200
