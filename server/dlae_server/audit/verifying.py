"""Whether a log is what was written: every record, and that each goes on from the one before."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dlae_server.audit.reading import Place, places
from dlae_server.audit.records import BEGINNING, BadRecord, Key, Position, Record, opened
from dlae_server.audit.segments import FOLDER, numbers

# Of the places that are told: after so many, the log as a whole is another.
MOST_FINDINGS = 1000


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was written.

    Attributes:
        place: Which record, or where.
        problem: What is wrong.
    """

    place: str
    problem: str


@dataclass
class Report:
    """What was found in a log.

    Attributes:
        records: Number of records that are what their hashes say.
        first: The first of them.
        tip: The last.
        findings: What is wrong; nothing where the log is sound.
        keys: Identifiers of the keys that sign it, the empty one for none.
    """

    records: int = 0
    first: Position = BEGINNING
    tip: Position = BEGINNING
    findings: list[Finding] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


class Verifier:
    """Follows a chain record by record.

    Attributes:
        report: What it has found so far.
    """

    def __init__(
        self,
        keys: Sequence[Key] = (),
        expected: Iterable[Position] = (),
        starts_anywhere: bool = False,
    ) -> None:
        """Begins.

        Args:
            keys: What signs records; none: signatures are not looked at.
            expected: What is known of the chain from elsewhere.
            starts_anywhere: Whether it may begin with another record than the first.
        """
        self.report = Report()
        self._keys = {key.id: key for key in keys}
        self._expected = {position.seq: position for position in expected}
        self._known: set[int] = set()
        self._at = BEGINNING
        self._starts_anywhere = starts_anywhere
        # Lines that are no records, since the last that was.
        self._bad = 0
        self._torn: dict[str, str] = {}

    def take(self, place: Place) -> None:
        """Looks at a line."""
        where, line = place
        if not line:
            self._find(where, "is gone, or says something else than its record")
            return
        try:
            record = opened(line)
        except BadRecord as error:
            self._bad += 1
            self._find(f"record {self._at.seq + self._bad} ({where})", str(error))
            return
        self._link(f"record {record.position.seq} ({where})", record)
        self._sign(f"record {record.position.seq} ({where})", record)
        if record.facts.get("what") == "torn":
            self._torn[str(record.facts.get("file"))] = str(record.facts.get("sha256"))

    def finish(self, folder: Path | None = None) -> Report:
        """Returns what was found, when there are no more lines.

        Args:
            folder: The folder of the log, where it is one.
        """
        for position in self._expected.values():
            if position.seq in self._known:
                continue
            self._find(
                f"record {position.seq}",
                f"is expected as {position.hash}, and is not there: the log ends with record "
                f"{self._at.seq}, so that records were removed",
            )
        if self._keys and not self.report.keys & set(self._keys):
            self._find("the log", "has no record that is signed with the key that was given")
        if folder:
            self._find_torn(folder)
        return self.report

    def _link(self, where: str, record: Record) -> None:
        at, here, report = self._at, record.position, self.report
        expected = self._expected.get(here.seq)
        if expected and here.seq not in self._known:
            self._known.add(here.seq)
            if expected != here:
                self._find(where, f"is another than the expected {expected.hash}")
        if here.seq <= at.seq:
            again = here == at
            self._find(where, "is there twice" if again else f"comes after record {at.seq}")
            return
        if not report.records:
            report.first = here
        if not (self._starts_anywhere and not report.records and not self._bad):
            self._find_gap(where, record)
        report.records += 1
        report.tip = self._at = here
        self._bad = 0

    def _find_gap(self, where: str, record: Record) -> None:
        at, seq = self._at, record.position.seq
        missing = seq - at.seq - 1 - self._bad
        if missing > 0:
            last = f" to {seq - 1}" if missing > 1 else ""
            self._find(where, f"is where record {seq - missing}{last} should be: removed, or moved")
        elif missing < 0:
            self._find(where, f"follows {self._bad} lines that were put in")
        elif not self._bad and record.previous != at.hash:
            self._find(
                where, f"goes on from another record {at.seq}: that, or all before, were replaced"
            )

    def _sign(self, where: str, record: Record) -> None:
        self.report.keys.add(record.key)
        if not self._keys:
            return
        key = self._keys.get(record.key)
        if key is None:
            # Before there was a key, nothing was signed; the first signature covers all of it.
            if record.key or self.report.keys & set(self._keys):
                self._find(where, "is not signed with the key that was given")
        elif not key.has_signed(record.facts):
            self._find(where, "has a signature that its key did not make")

    def _find_torn(self, folder: Path) -> None:
        for name, digest in self._torn.items():
            try:
                sound = hashlib.sha256((folder / Path(name).name).read_bytes()).hexdigest()
            except OSError:
                sound = ""
            if sound != digest:
                self._find(name, "was put aside after a crash, and is gone or changed")

    def _find(self, place: str, problem: str) -> None:
        if len(self.report.findings) < MOST_FINDINGS:
            self.report.findings.append(Finding(place, problem))


def verify(source: Path, keys: Sequence[Key] = (), expected: Iterable[Position] = ()) -> Report:
    """Returns what is wrong with a log.

    Args:
        source: A data folder, whose server may be running, or a file of `audit export`.
        keys: What signs its records; none: signatures are not looked at.
        expected: Positions that are known from elsewhere.

    Raises:
        CannotStart: There is no log.
    """
    verifier = Verifier(keys, expected, starts_anywhere=source.is_file())
    for place in places(source):
        verifier.take(place)
    return verifier.finish(None if source.is_file() else source / FOLDER)


def findings_of(data_dir: Path) -> list[Finding]:
    """Returns what is wrong with the log of a data folder, where it has one."""
    return verify(data_dir).findings if numbers(data_dir / FOLDER) else []
