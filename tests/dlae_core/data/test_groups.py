"""Groups of samples: from attributes and tables, and never told."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlae_core.data.groups import groups_of_attribute, groups_of_table
from dlae_core.data.source import SampleFile, write_samples
from dlae_core.errors import UnusableDataset


def _write(path: Path, groups: list[Any]) -> Path:
    samples = [
        (str(number), np.zeros(2), {} if group is None else {"patient": group})
        for number, group in enumerate(groups)
    ]
    write_samples(path, samples)
    return path


def test_groups_are_texts_or_integers_of_an_attribute(tmp_path: Path) -> None:
    groups = ["a", " a ", b"a", 7, np.int64(7), np.array([7]), "7"]
    with SampleFile(_write(tmp_path / "X.h5", groups)) as file:
        found = groups_of_attribute(file, "patient")
    assert list(found.values()) == ["a", "a", "a", "7", "7", "7", "7"]


@pytest.mark.parametrize("group", [None, "", "  ", 1.5, np.array([1, 2]), np.array([])])
def test_a_sample_without_a_group_is_named(tmp_path: Path, group: object) -> None:
    with (
        SampleFile(_write(tmp_path / "X.h5", ["Smith", group])) as file,
        pytest.raises(
            UnusableDataset, match=r"X\.h5: dataset '1': .* attribute 'patient'"
        ) as found,
    ):
        groups_of_attribute(file, "patient")
    assert "Smith" not in str(found.value)


@pytest.mark.parametrize(
    "text",
    [
        "0,a\n1,b\n2,a\n",
        "name,group\r\n0, a\r\n1,b,more\r\n\r\n02,a\r\n99,z\r\n",
        '\ufeffname,group\n"2","a"\n1,b\n0,a\n0,a\n',
    ],
)
def test_groups_are_read_from_a_table(tmp_path: Path, text: str) -> None:
    (tmp_path / "groups.csv").write_text(text, encoding="utf-8")
    found = groups_of_table(tmp_path / "groups.csv", ("0", "1", "2"))
    assert found == {"0": "a", "1": "b", "2": "a"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"0,Smith\n", "expected a line for sample '1'"),
        (b"0,Smith\n1\n", "line 2: expected a group after the name '1'"),
        (b"0,Smith\n1,\n", "line 2: expected a group after the name '1'"),
        (b"0,Smith\nSmith,1\n", "line 2: expected the name of a sample"),
        (b"0,Smith\n1,Smith\n00,Jones\n", "line 3: expected one group for sample '00', found two"),
        (b"0,Sm\xefth\n", "expected a CSV file in UTF-8"),
        (b"", "expected a line for sample '0'"),
    ],
)
def test_mistakes_of_a_table_are_named_without_its_groups(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    (tmp_path / "groups.csv").write_bytes(content)
    with pytest.raises(UnusableDataset, match=rf"groups\.csv: {sentence}") as caught:
        groups_of_table(tmp_path / "groups.csv", ("0", "1"))
    assert "Smith" not in str(caught.value)


def test_a_table_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableDataset, match=r"none\.csv: cannot be read: No such file"):
        groups_of_table(tmp_path / "none.csv", ("0",))
