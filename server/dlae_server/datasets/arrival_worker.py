"""The worker that looks into a file of anybody, in a process of its own, with limits.

`python -m dlae_server.datasets.arrival_worker` reads one line `{"file": path}` and writes one:
`{"result": {"kind", "samples", "forms"}}` or `{"failure": {"problems": [...]}}`. HDF5 is a library
in C that reads what a file tells it to: what a file of malice does to it ends this process alone.
"""

import csv
import json
import resource
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import h5py

from dlae_core.data.groups import groups_of_table
from dlae_core.data.source import SampleFile
from dlae_core.errors import UnusableDataset

MOST_FORMS = 20
MEMORY_BYTES, CPU_SECONDS = 8 << 30, 600
TABLE_BYTES = 64 << 20
NEITHER = (
    "expected an HDF5 file of samples or a table of groups in CSV, found neither; the file may be "
    "damaged"
)


def look(path: Path) -> dict[str, Any]:
    """Returns what a file is: its kind, the number of its samples and their forms.

    Raises:
        UnusableDataset: It cannot be used.
    """
    return _samples(path) if h5py.is_hdf5(path) else _groups(path)


def _samples(path: Path) -> dict[str, Any]:
    with SampleFile(path) as file:
        forms = Counter((file.shape(name), str(file.dtype(name))) for name in file.names)
        told = [
            {"shape": list(shape), "dtype": dtype, "samples": count}
            for (shape, dtype), count in forms.most_common(MOST_FORMS)
        ]
        return {"kind": "KIND_SAMPLES", "samples": len(file.names), "forms": told}


def _groups(path: Path) -> dict[str, Any]:
    if path.stat().st_size > TABLE_BYTES:
        raise UnusableDataset([NEITHER])
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnusableDataset([NEITHER]) from None
    if "\0" in text:
        raise UnusableDataset([NEITHER])
    groups_of_table(path, [])
    named = [row for row in csv.reader(text.splitlines()) if row and row[0].strip().isdigit()]
    if not named:
        raise UnusableDataset([NEITHER])
    return {"kind": "KIND_GROUPS", "samples": len(named), "forms": []}


def main() -> None:
    """Looks into the file of the first line."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    line = sys.stdin.readline()
    if not line:
        return
    path = Path(json.loads(line)["file"])
    try:
        answer = {"result": look(path)}
    except UnusableDataset as error:
        problems = [problem.removeprefix(f"{path.name}: ") for problem in error.problems]
        answer = {"failure": {"problems": problems}}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
