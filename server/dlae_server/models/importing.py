"""Imports: a file received, checked, made into a bundle by a worker, and stored."""

import asyncio
import re
import secrets
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from dlae.v1 import models_pb2 as pb
from dlae.v1.training_pb2 import Job
from dlae_core.errors import CorruptArtifact, DlaeError, IncompatibleArtifact, StorageFailed
from dlae_server.access.projects import DEFAULT
from dlae_server.errors import InvalidRequest, QueueFull
from dlae_server.jobs.journal import Journal
from dlae_server.jobs.process import TaskProcess
from dlae_server.models.arriving import length_there, part_file, receive
from dlae_server.models.files import COMING, models_folder
from dlae_server.models.objects import share
from dlae_server.models.registry import checked_name, model_from_bundle
from dlae_server.models.signature import signed
from dlae_server.settings import Settings

WORKER = (sys.executable, "-m", "dlae_server.confinement", "models.import_worker")
WORKER_SECONDS = 900.0
FORMATS = ("keras", "weights.h5", "h5")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONFIG_BYTES = 4 << 20
# What a worker tells -> the error that a caller gets; all else is a fault of ours.
_FAILURES: dict[str, type[DlaeError]] = {
    error.reason: error for error in (CorruptArtifact, IncompatibleArtifact, StorageFailed)
} | {"INVALID_CONFIG": InvalidRequest, "WEIGHTS_NOT_FOUND": InvalidRequest}


class Importer:
    """Takes in one model at a time."""

    def __init__(
        self, settings: Settings, journal: Journal, command: tuple[str, ...] = WORKER
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._command = command
        self._busy = False

    async def store(
        self, header: pb.ImportModelHeader, data: AsyncIterator[bytes], project: str = DEFAULT
    ) -> tuple[pb.Model, str]:
        """Stores a model as the next version of its name; returns it and what was taken.

        Args:
            header: What comes.
            data: The file, in pieces.
            project: Whose model it becomes.

        Raises:
            InvalidRequest: The header is not allowed.
            InvalidStream: The pieces are not the file that was announced.
            UploadStalled: Nothing more comes.
            QueueFull: Another import is under way.
            DlaeError: As `dlae_core.adoption.adopt`.
        """
        self._check(header)
        by = signed(header.who, header.why)
        if self._busy:
            raise QueueFull("imports", 1, retry_seconds=10.0)
        self._busy = True
        bundle = f"import-{secrets.token_hex(6)}"
        coming = models_folder(self._settings.data_dir) / f"{COMING}{bundle}"
        try:
            await asyncio.to_thread((coming / "bundle").mkdir, parents=True)
            file = coming / f"model.{header.format}"
            part = part_file(self._settings.data_dir, header.sha256, project)
            await receive(header, data, part, self._settings.upload_silence_seconds)
            # From here on nobody goes on with it: who does not hear of the model makes no second.
            part.replace(file)
            report = await self._adopted(header.config_json, file, coming)
            job = Job(name=header.name, project=project)
            model = await asyncio.to_thread(_placed, coming / "bundle", bundle, job)
            await self._journal.record(model)
            model = await self._journal.call(self._journal.store.record_import, model, by)
            return model, report
        except OSError as error:
            raise StorageFailed(f"the model cannot be stored: {error.strerror}") from error
        finally:
            self._busy = False
            await asyncio.to_thread(shutil.rmtree, coming, True)

    def begun(self, request: pb.StartImportRequest, project: str = DEFAULT) -> int:
        """Returns how much of a file a project has sent already.

        Raises:
            InvalidRequest: It is not said which file.
        """
        _require_file(request)
        part = part_file(self._settings.data_dir, request.sha256, project)
        return length_there(part, request.size_bytes)

    def _check(self, header: pb.ImportModelHeader) -> None:
        checked_name(header.name)
        if header.format not in FORMATS:
            wanted = "', '".join(FORMATS)
            raise InvalidRequest(f"expected the format '{wanted}', got '{header.format[:40]}'")
        _require_file(header)
        if len(header.config_json) > _CONFIG_BYTES:
            raise InvalidRequest(f"expected a configuration of at most {_CONFIG_BYTES} bytes")
        free = shutil.disk_usage(self._settings.data_dir).free
        # The file, and the bundle with the network in two or three forms.
        if 4 * header.size_bytes + self._settings.free_bytes > free:
            raise StorageFailed(
                f"the server's disk has no room for this model: {free} bytes are free"
            )

    async def _adopted(self, config: str, file: Path, coming: Path) -> str:
        """Has a worker make a bundle; returns what was taken of the file.

        Raises:
            DlaeError: It cannot be made.
        """
        task = {
            **{"task": "adopt", "config": config},
            **{"file": str(file), "bundle": str(coming / "bundle")},
        }
        log = models_folder(self._settings.data_dir) / "import.log"
        process = await TaskProcess.start(task, log, self._command)
        try:
            last = await asyncio.wait_for(_last(process), WORKER_SECONDS)
            # Before it is killed: a signal to one that has just died takes its exit code away.
            cause = await process.end()
        except TimeoutError:
            raise IncompatibleArtifact("the model took too long to read and was given up") from None
        finally:
            process.kill()
        if "failure" in last:
            failure = last["failure"]
            raise _FAILURES.get(failure["reason"], DlaeError)(failure["message"])
        if "result" not in last:
            raise IncompatibleArtifact(f"the model cannot be read: {cause}")
        return str(last["result"]["report"])


def _require_file(header: pb.ImportModelHeader | pb.StartImportRequest) -> None:
    if not _SHA256.fullmatch(header.sha256) or header.size_bytes <= 0:
        raise InvalidRequest("expected the length and the SHA-256 of a file, got others")


async def _last(process: TaskProcess) -> dict[str, Any]:
    """Returns the last message of a worker; nothing where it died before."""
    last: dict[str, Any] = {}
    async for message in process.messages():
        last = message
    return last


def _placed(folder: Path, bundle: str, job: Job) -> pb.Model:
    """Moves a bundle to its place; returns it as a model."""
    target = folder.parent.parent / bundle
    model = model_from_bundle(folder, job)
    model.bundle = bundle
    share(target.parent.parent, folder, model.files)
    folder.replace(target)
    return model
