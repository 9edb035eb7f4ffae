"""Question: what does reading a sample cost over the bare system call, and over plain h5py?

Images of 512 x 512 float32 with smooth structures and noise, one dataset each, in random order, on
one and on two threads, from warm page cache. The bare loop is `os.preadv` at offsets known before
into arrays that are used again; h5py is `file[name][()]`. All ways take turns; each ratio is the
median of the quietest third of the rounds, and what other programs used then is told.
"""

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from benchmarks.quiet import (
    Timed,
    median_load,
    median_ratio,
    median_seconds,
    quietest,
    settle,
    timed,
)
from dlae_core.data.source import SampleFile

SIDE = 512
PLAIN, ZIPPED = 240, 40
ROUNDS = 30
Read = Callable[[Sequence[str]], None]


# Of the way before over the way after, and what it should be.
RATIOS = {
    "plain_over_bare": ("bare 1", "dlae 1", 0.8),
    "plain_over_bare_2_threads": ("bare 2", "dlae 2", 0.8),
    "plain_over_h5py": ("h5py 1", "dlae 1", None),
    "plain_over_h5py_2_threads": ("h5py 2", "dlae 2", None),
    "gzip_over_h5py": ("h5py 1", "dlae 1", None),
    "gzip_over_h5py_2_threads": ("h5py 2", "dlae 2", 2.0),
}


def main() -> None:
    """Measures and prints images per second and ratios."""
    with tempfile.TemporaryDirectory() as scratch:
        plain, zipped = Path(scratch) / "plain.h5", Path(scratch) / "gzip.h5"
        write(plain, PLAIN)
        write(zipped, ZIPPED, chunks=(SIDE, SIDE), compression="gzip")
        rounds = {"plain": measure(ways(plain, bare=True), PLAIN)}
        rounds |= {"gzip": measure(ways(zipped), ZIPPED)}
    for name, (peer, way, goal) in RATIOS.items():
        kind = name.split("_")[0]
        quiet = quietest(rounds[kind], peer, way)
        count = PLAIN if kind == "plain" else ZIPPED
        print(
            json.dumps(
                {
                    "benchmark": f"reading_{name}",
                    "images_per_second": round(count / median_seconds(quiet, way)),
                    "peer_images_per_second": round(count / median_seconds(quiet, peer)),
                    "ratio": round(median_ratio(quiet, peer, way), 2),
                    "foreign_cores": round(median_load(quiet, peer, way), 2),
                    "goal": goal,
                }
            )
        )


def write(path: Path, count: int, **layout: object) -> None:
    """Writes images as a scanner might make them, as float32 datasets."""
    random = np.random.default_rng(0)
    rows, columns = np.ogrid[:SIDE, :SIDE]
    with h5py.File(path, "w") as file:
        for number in range(count):
            image = 1000 + 800 * np.sin(columns / 40 + number) * np.cos(rows / 55)
            image += random.normal(0, 20, image.shape)
            image[(rows - SIDE // 2) ** 2 + (columns - SIDE // 2) ** 2 > 240**2] = 0
            file.create_dataset(str(number), data=np.round(image).astype(np.float32), **layout)


def ways(path: Path, bare: bool = False) -> dict[str, Read]:
    """Returns the ways to read samples, by name and number of threads."""
    samples, file = SampleFile(path), h5py.File(path)
    found = {"dlae": into_arrays(samples.read), "h5py": by_h5py(file)}
    if bare:
        offsets = {name: file[name].id.get_offset() for name in file}
        descriptor = os.open(path, os.O_RDONLY)
        found["bare"] = into_arrays(lambda name, out: os.preadv(descriptor, [out], offsets[name]))
    # Those that are compared stand side by side.
    return {
        f"{name} {threads}": on_threads(way, threads)
        for threads in (1, 2)
        for name, way in found.items()
    }


def into_arrays(read: Callable[[str, np.ndarray], object]) -> Read:
    """Returns a way that reads into arrays of its own over and over."""

    def way(names: Sequence[str]) -> None:
        arrays = np.empty((8, SIDE, SIDE), np.float32)
        for turn, name in enumerate(names):
            read(name, arrays[turn % 8])

    return way


def by_h5py(file: h5py.File) -> Read:
    """Returns the way of plain h5py."""

    def way(names: Sequence[str]) -> None:
        for name in names:
            file[name][()]

    return way


def on_threads(way: Read, threads: int) -> Read:
    """Returns a way that divides its samples among threads."""
    if threads == 1:
        return way
    pool = ThreadPoolExecutor(threads)

    def divided(names: Sequence[str]) -> None:
        list(pool.map(way, [names[start::threads] for start in range(threads)]))

    return divided


def measure(found: dict[str, Read], count: int) -> list[dict[str, Timed]]:
    """Returns what reading all samples takes, by round and way."""
    random = np.random.default_rng(1)
    rounds = []
    for _ in range(ROUNDS + 1):
        names = [str(number) for number in random.permutation(count)]
        settle()
        rounds.append({name: timed(partial(way, names)) for name, way in found.items()})
    # The first round fills caches and tables.
    return rounds[1:]


if __name__ == "__main__":
    main()
