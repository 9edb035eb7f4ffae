"""What the server records: calls, and what it does by itself."""

import hashlib
import logging
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote

from dlae_core.errors import DlaeError
from dlae_server.access.guard import ANYBODY, Caller
from dlae_server.audit.calls import CHANGE, QUIET, kind_of
from dlae_server.audit.log import Entry, Log
from dlae_server.audit.records import Position, now
from dlae_server.audit.refusals import Refusals
from dlae_server.audit.subjects import NOTHING_THERE, subject_of
from dlae_server.errors import PermissionDenied

LOG = logging.getLogger(__name__)
# Recorded of every method.
REFUSED = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED"})
# Of which somebody could make so many that their records fill the disk.
COUNTED = (*sorted(REFUSED), "RESOURCE_EXHAUSTED")


class Note:
    """What becomes the record of the present call.

    Attributes:
        kind: What it is to the log.
        caller: Whose it is.
        peer: Where it comes from.
        reason: Why it has failed.
        facts: What is known of its subject.
        content: Bytes of its input, to be hashed.
        wants_proof: Whether it is recorded with its output, before it is answered.
        is_written: Whether its record is on its way.
    """

    def __init__(self, audit: "Audit", method: str, request_id: str) -> None:
        self._audit = audit
        self._head = {
            "what": "call",
            "call": method.strip("/").rpartition(".")[2],
            "request": request_id,
        }
        self.kind = kind_of(method)
        self.caller = ANYBODY
        self.peer = ""
        self.reason = ""
        self.facts: dict[str, Any] = {}
        self.content: tuple[Any, ...] = ()
        self.wants_proof = audit.predictions
        self.is_written = False

    @property
    def is_recorded(self) -> bool:
        """Whether the call is recorded however it ends."""
        return self.kind != QUIET and self._audit.is_on

    def begin(self, request: Any, caller: Caller) -> None:
        """Looks at what is asked, before anything is done.

        Raises:
            StorageFailed, CorruptArtifact: It could not be recorded, and has to be.
        """
        NOTE.set(self)
        self.caller = caller
        if not self.is_recorded:
            return
        self._audit.require()
        self.facts.update(subject_of(request))

    async def answer(self, code: str, response: Any) -> None:
        """Records a call that is about to be answered; a change is on the disk when this returns.

        Raises:
            StorageFailed, CorruptArtifact: It is not, and has to be.
        """
        if not self.is_recorded:
            return
        if self.is_written:
            return
        self.facts.update(subject_of(response))
        if self.kind == CHANGE or self._audit.is_behind:
            self.is_written = True
            await self._audit.written(self._whole(code), self.content)

    async def proof(self) -> Position | None:
        """Records a prediction of the call; it is on the disk when this returns, and tells where.

        Raises:
            StorageFailed, CorruptArtifact: It is not, and has to be.
        """
        self.is_written = True
        return await self._audit.written(self._whole("OK"), self.content)

    def end(self, code: str) -> None:
        """Records a call that has ended, unless it is recorded."""
        if self.is_written or (self.kind == QUIET and code not in REFUSED):
            return
        self.is_written = True
        if code in NOTHING_THERE:
            self.facts, self.content = {}, ()
        facts = self._whole(code)
        if code in COUNTED:
            self._audit.refused(facts)
        else:
            self._audit.add(facts, self.content)

    def _whole(self, code: str) -> dict[str, Any]:
        return {
            **self._head,
            "time": now(),
            "status": code,
            "peer": address_of(self.peer),
            **({"reason": self.reason} if self.reason else {}),
            **who(self.caller),
            **self.facts,
        }


class Audit:
    """Where the server tells what it has done.

    Attributes:
        predictions: Whether every prediction is recorded with its output.
    """

    def __init__(
        self, log: Log | None = None, predictions: bool = False, is_strict: bool = True
    ) -> None:
        """Makes one.

        Args:
            log: What writes; None: nothing is recorded.
            predictions: Whether every prediction is recorded with its output.
            is_strict: Whether calls are refused that could not be recorded.
        """
        self._log = log
        self._is_strict = is_strict
        self._refusals = {code: Refusals(self.add, code) for code in COUNTED}
        self.predictions = predictions and log is not None

    @property
    def is_on(self) -> bool:
        """Whether anything is recorded."""
        return self._log is not None

    @property
    def is_behind(self) -> bool:
        """Whether calls should wait for what is still to be recorded."""
        return self._log is not None and self._log.is_behind

    def note(self, method: str, request_id: str) -> Note:
        """Returns what becomes the record of a call."""
        return Note(self, method, request_id)

    def require(self) -> None:
        """Raises why nothing can be recorded, where it has to be."""
        if self._log and self._is_strict and self._log.failure:
            raise self._log.failure

    def add(self, facts: dict[str, Any], content: tuple[Any, ...] = ()) -> None:
        """Records something a moment later."""
        if self._log:
            self._log.add(Entry(facts, content))

    def refused(self, facts: dict[str, Any]) -> None:
        """Records a refused call; of too many in a short time only how many."""
        if self._log:
            self._refusals[facts["status"]].add(facts)

    async def written(
        self, facts: dict[str, Any], content: tuple[Any, ...] = ()
    ) -> Position | None:
        """Records something; it is on the disk when this returns.

        Raises:
            StorageFailed, CorruptArtifact: It is not, and has to be.
        """
        if self._log is None:
            return None
        try:
            return await self._log.written(facts, content)
        except DlaeError:
            if self._is_strict:
                raise
            return None

    async def did(self, what: str, **facts: Any) -> None:
        """Records what the server does by itself; it is on the disk when this returns.

        Where it cannot be, it is once it can: nobody waits who could be refused, and calls are
        refused until then.
        """
        try:
            await self.written({"what": what, "time": now(), **facts})
        except DlaeError as error:
            LOG.error("%s is not recorded yet: %s", what, error)

    def close(self) -> None:
        """Writes what waits."""
        for refusals in self._refusals.values():
            refusals.close()
        if self._log:
            self._log.close()


OFF = Audit()
NOTE: ContextVar[Note | None] = ContextVar("note", default=None)


def noted(**facts: Any) -> None:
    """Adds what is known of the present call's subject."""
    if note := NOTE.get():
        note.facts.update(facts)


def noted_data(role: str, sha256: str) -> None:
    """Adds a data file that the present call needs: its role and its content."""
    if note := NOTE.get():
        note.facts["data"] = {**note.facts.get("data", {}), role: sha256}


def sha256_of_text(text: str) -> str:
    """Returns the SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def caller_of(error: Exception, known: Caller) -> Caller:
    """Returns whose call has failed: who may not call is known all the same."""
    return Caller(error.name, "") if isinstance(error, PermissionDenied) else known


def who(caller: Caller) -> dict[str, Any]:
    """Returns who calls; nothing where nobody had to say."""
    if caller == ANYBODY:
        return {}
    told = {"who": caller.name, "scope": caller.scope, "project": caller.project}
    return {name: value for name, value in told.items() if value}


def address_of(peer: str) -> str:
    """Returns the address of `ipv4:127.0.0.1:4711`, without the port."""
    kind, _, rest = unquote(peer).partition(":")
    if kind not in ("ipv4", "ipv6", "http"):
        return kind
    return rest.rpartition(":")[0].strip("[]")
