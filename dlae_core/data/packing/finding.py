"""Finding the images in folders."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dlae_core.data.packing import arrays, dicom, nifti, picture
from dlae_core.data.packing.volume import Volume
from dlae_core.data.source import SHOWN, first_of
from dlae_core.errors import UnusableDataset

FORMATS = "PNG, TIFF, JPEG, BMP, NumPy (.npy, .npz), NIfTI (.nii, .nii.gz) or DICOM"
_SUFFIXES = (*picture.SUFFIXES, *arrays.SUFFIXES, *nifti.SUFFIXES, *dicom.SUFFIXES)


@dataclass(frozen=True)
class Way:
    """How files are read.

    Attributes:
        as_labels: Whether pictures hold class numbers.
        stacked: Whether the first axis of NumPy arrays numbers samples.
        channels: Whether a fourth axis of NIfTI files holds channels.
    """

    as_labels: bool = False
    stacked: bool = False
    channels: bool = False


@dataclass(frozen=True)
class Item:
    """One image that was found.

    Attributes:
        key: Path below the folder that was searched, without the ending.
        path: File or folder, for people.
        read: Reads it.
    """

    key: str
    path: Path
    read: Callable[[], Volume]


@dataclass(frozen=True)
class Found:
    """All images of one or several sources.

    Attributes:
        items: The images, in the order of their names, numbers by value.
        ignored: Files of other kinds.
    """

    items: tuple[Item, ...]
    ignored: tuple[Path, ...]

    def index(self) -> "Index":
        """Returns the images by their names."""
        return Index(self.items)


def find_items(sources: Sequence[Path], way: Way) -> Found:
    """Finds all images in files and folders, folders below them included.

    Raises:
        UnusableDataset: There are none, two have the same name, or a file cannot be opened.
    """
    items: list[Item] = []
    ignored: list[Path] = []
    problems: list[str] = []
    for source in sources:
        for folder, files in _folders(source):
            found = _Folder(source, folder, way)
            items += found.items(files)
            ignored += found.ignored
            problems += found.problems
    if not items and not problems:
        names = ", ".join(map(str, sources))
        problems.append(f"expected {FORMATS} in {names}, found none")
    items.sort(key=lambda item: _natural(item.key))
    problems += _repeated(items)
    if problems:
        raise UnusableDataset(first_of(problems))
    return Found(tuple(items), tuple(ignored))


def _folders(source: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Yields folders with their files; hidden ones are left out."""
    if source.is_file():
        yield source.parent, [source]
    elif not source.is_dir():
        raise UnusableDataset([f"{source}: expected a file or a folder, found nothing"])
    for name, folders, files in os.walk(source):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        paths = [Path(name, file) for file in sorted(files) if not file.startswith(".")]
        # Reading a pipe could wait for ever.
        yield Path(name), [path for path in paths if path.is_file()]


def _natural(key: str) -> list[tuple[int, int, str]]:
    """Returns a key to sort by in which numbers count by their value."""
    parts = re.findall(r"[0-9]+|[^0-9]+", key)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def _repeated(items: Sequence[Item]) -> list[str]:
    known: dict[str, Path] = {}
    found = []
    for item in items:
        other = known.setdefault(item.key, item.path)
        if other is not item.path:
            found.append(f"expected one image of the name '{item.key}': {other} and {item.path}")
    return found


class _Folder:
    """The files of one folder, sorted by kind.

    Attributes:
        ignored: Files of other kinds.
        problems: What is wrong with files.
    """

    def __init__(self, source: Path, folder: Path, way: Way) -> None:
        self._is_file = source.is_file()
        self._root = source.parent if self._is_file else source
        self._folder, self._way = folder, way
        self.ignored: list[Path] = []
        self.problems: list[str] = []

    def items(self, files: Sequence[Path]) -> list[Item]:
        """Returns the images that files make."""
        found: list[Item] = []
        slices: list[Path] = []
        for path in files:
            try:
                found += self._of_file(path, slices)
            except UnusableDataset as error:
                self._note(path, error)
        try:
            found += self._of_dicom(slices)
        except UnusableDataset as error:
            self._note(self._folder, error)
        return found

    def _note(self, path: Path, error: UnusableDataset) -> None:
        self.problems += [f"{self._below(path)}: {problem}" for problem in error.problems]

    def _of_file(self, path: Path, slices: list[Path]) -> Iterator[Item]:
        suffix, way = _suffix(path), self._way
        if suffix in picture.SUFFIXES:
            yield Item(self._key(path), path, partial(picture.read_picture, path, way.as_labels))
        elif suffix in nifti.SUFFIXES:
            yield Item(self._key(path), path, partial(nifti.read_nifti, path, way.channels))
        elif suffix in arrays.SUFFIXES:
            for name, read in arrays.array_parts(path, way.stacked):
                yield Item(self._key_of_part(path, name), path, read)
        elif suffix in dicom.SUFFIXES or dicom.is_dicom(path):
            slices.append(path)
        else:
            self.ignored.append(path)

    def _of_dicom(self, slices: Sequence[Path]) -> Iterator[Item]:
        if not slices:
            return
        for path, read in dicom.dicom_parts(slices):
            if path is None:
                key = self._below(self._folder) or self._folder.name
                yield Item(key, self._folder, read)
            else:
                yield Item(self._key(path), path, read)

    def _key_of_part(self, path: Path, name: str) -> str:
        if not name:
            return self._key(path)
        # One file beside another, such as X.npy and y.npy: only the place in them matters.
        return name if self._is_file else f"{self._key(path)}/{name}"

    def _below(self, path: Path) -> str:
        below = path.relative_to(self._root).as_posix()
        return self._folder.name if below == "." else below

    def _key(self, path: Path) -> str:
        return self._below(path).removesuffix(path.name) + without_suffix(path.name)


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return next((known for known in nifti.SUFFIXES if name.endswith(known)), path.suffix.lower())


def without_suffix(name: str) -> str:
    """Returns the name of a file without the ending of a known format."""
    for known in sorted(_SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(known):
            return name[: -len(known)]
    return name


class Index:
    """Images by their names: whole path below the source, or the last part where it is unique."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._whole = {item.key: place for place, item in enumerate(items)}
        self._last: dict[str, list[int]] = {}
        for place, item in enumerate(items):
            self._last.setdefault(item.key.rpartition("/")[2], []).append(place)

    def place(self, name: str) -> int | None:
        """Returns the place of an image, None where no image has this name.

        Raises:
            UnusableDataset: Several have.
        """
        for candidate in (name, without_suffix(name)):
            if candidate in self._whole:
                return self._whole[candidate]
        for candidate in (name, without_suffix(name)):
            places = self._last.get(candidate, [])
            if len(places) > 1:
                message = f"'{name}' is the name of {len(places)} images; write the folder as well"
                raise UnusableDataset([message])
            if places:
                return places[0]
        return None


def missing_names(keys: Sequence[str], what: str) -> list[str]:
    """Returns a sentence that names what has no partner."""
    if not keys:
        return []
    names = ", ".join(keys[:SHOWN]) + (", ..." if len(keys) > SHOWN else "")
    return [f"{len(keys)} {what} ({names})"]
