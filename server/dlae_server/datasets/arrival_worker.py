"""The worker that looks into files of anybody, each in a process of its own, with limits.

`python -m dlae_server.confinement datasets.arrival_worker` reads lines `{"file": path}`; for each
it writes `{"result": {"kind", "samples", "forms"}}`, `{"failure": {"problems": [...]}}` or
`{"died": code}`.
HDF5 is a library in C that reads what a file tells it to: what a file of malice does to it ends the
one process that looked into it. Loading HDF5 takes longer than looking, so the worker has it loaded
and forks.
"""

import csv
import json
import os
import resource
import signal
import sys
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py

from dlae_core.checkpoints.archive import STATE
from dlae_core.data.groups import groups_of_table
from dlae_core.data.hdf5 import DAMAGED, attribute
from dlae_core.data.source import SampleFile
from dlae_core.errors import UnusableDataset
from dlae_server.confinement.rights import confine_to_reading

MOST_FORMS = 20
MEMORY_BYTES, CPU_SECONDS = 8 << 30, 300
# Of one sample. HDF5 can read a damaged text of any length for ever, and nothing interrupts it.
ATTRIBUTE_SECONDS = 5.0
TABLE_BYTES = 64 << 20
NEITHER = (
    "expected an HDF5 file of samples, a table of groups in CSV, or a network, found neither; the "
    "file may be damaged"
)
# What files of Keras hold, of which one is enough; and the archives of Keras and ours.
_GROUPS_OF_KERAS = ("model_weights", "layers", "_layer_checkpoint_dependencies")
_ATTRIBUTES_OF_KERAS = ("layer_names", "layer_names0", "model_config")
_ENTRIES = ("model.weights.h5", STATE)
# What h5py and zipfile raise for files that are damaged.
_DAMAGED = (OSError, RuntimeError, KeyError, ValueError, OverflowError, zipfile.BadZipFile)


def look(path: Path) -> dict[str, Any]:
    """Returns what a file is: its kind, the number of its samples and their forms.

    Raises:
        UnusableDataset: It cannot be used.
    """
    if _is_of_keras(path) if h5py.is_hdf5(path) else _is_archive(path):
        return {"kind": "KIND_NETWORK", "samples": 0, "forms": []}
    return _samples(path) if h5py.is_hdf5(path) else _groups(path)


def _is_of_keras(path: Path) -> bool:
    """Returns whether an HDF5 file holds weights; what is wrong with them, training says."""
    try:
        with h5py.File(path, "r") as file:
            # No link is followed.
            return any(file.id.links.exists(name.encode()) for name in _GROUPS_OF_KERAS) or any(
                name in file.attrs for name in _ATTRIBUTES_OF_KERAS
            )
    except _DAMAGED:
        return False


def _is_archive(path: Path) -> bool:
    """Returns whether an archive is one of Keras or a checkpoint; nothing in it is unpacked."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name in archive.namelist() for name in _ENTRIES)
    except _DAMAGED:
        return False


def _samples(path: Path) -> dict[str, Any]:
    with SampleFile(path) as file:
        _read_attributes(path, file.names)
        forms = Counter((file.shape(name), str(file.dtype(name))) for name in file.names)
        told = [
            {"shape": list(shape), "dtype": dtype, "samples": count}
            for (shape, dtype), count in forms.most_common(MOST_FORMS)
        ]
        return {"kind": "KIND_SAMPLES", "samples": len(file.names), "forms": told}


def _read_attributes(path: Path, names: Sequence[str]) -> None:
    """Reads what training may read of each sample; ends this process where that has no end.

    Raises:
        UnusableDataset: It cannot be read.
    """
    try:
        with h5py.File(path, "r") as file:
            for name in names:
                signal.setitimer(signal.ITIMER_VIRTUAL, ATTRIBUTE_SECONDS)
                if h5py.h5a.get_num_attrs(h5py.h5o.open(file.id, name.encode())):
                    for key in file[name].attrs:
                        attribute(file[name], key)
    except DAMAGED as error:
        raise UnusableDataset(["an attribute of a sample cannot be read"]) from error
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


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
    try:
        named = [row for row in csv.reader(text.splitlines()) if row and row[0].strip().isdigit()]
    except csv.Error:
        named = []
    if not named:
        raise UnusableDataset([NEITHER])
    groups_of_table(path, [])
    return {"kind": "KIND_GROUPS", "samples": len(named), "forms": []}


def answer(line: str) -> str:
    """Returns what is to be said of the file that a line names."""
    path = Path(json.loads(line)["file"])
    confine_to_reading(path)
    try:
        told = {"result": look(path)}
    except UnusableDataset as error:
        problems = [problem.removeprefix(f"{path.name}: ") for problem in error.problems]
        told = {"failure": {"problems": problems}}
    return json.dumps(told) + "\n"


def main() -> None:
    """Looks into the file of every line, each in a process that ends with it."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
            told = answer(line)
            sys.stdout.write(told)
            sys.stdout.flush()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            sys.stdout.write(json.dumps({"died": os.waitstatus_to_exitcode(status)}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
