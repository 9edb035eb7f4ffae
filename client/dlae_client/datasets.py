"""What a client does with data files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlae.v1 import datasets_pb2 as pb
from dlae.v1.datasets_pb2_grpc import DatasetServiceStub
from dlae.v1.training_pb2 import ConfigSource
from dlae_client.configuration import Configuration, config_source
from dlae_client.errors import ClientError, InvalidRequest, LocalFileError
from dlae_client.hashing import Hashes
from dlae_client.local_data import MANIFEST, Placed, local_files, local_model, with_references
from dlae_client.registry import Registry
from dlae_client.uploading import Progress, Uploaded, is_damaged, upload

PAGE = 200
FOLDER = (
    "paths.load_model: expected a model of the server, or a file, got the folder {folder}, which "
    "the server cannot read; name the model as NAME@VERSION, or store it with `dlae-client models "
    "import {folder}/model.keras --config {folder}/config.json --name NAME`"
)


def _silent(stage: str, done: int, size: int) -> None:
    """Shows no progress."""


class Datasets(Registry):
    """Data files: uploaded, listed and deleted. A part of `Client`."""

    @property
    def _datasets(self) -> Any:
        return self._connection.stub(DatasetServiceStub)

    def upload(self, file: str | Path, name: str = "", progress: Progress = _silent) -> Uploaded:
        """Has the server keep a data file; nothing is sent that it has already.

        An upload that breaks off goes on when the server is back, or when it is asked for again.

        Args:
            file: An HDF5 file of samples, a table of groups, or a network or its weights.
            name: Name of which it is to be the newest version; empty for none.
            progress: Called with `hashing` or `uploading`, the bytes done and those of the file.

        Raises:
            LocalFileError: It cannot be read.
            FailedPrecondition: It cannot be trained on; every problem is told.
            Exhausted: The server has no room for it.
        """
        path = Path(file).expanduser()
        if not path.is_file():
            raise LocalFileError(f"expected a file, found none at {path}")
        try:
            return self._uploaded(path, name, progress)
        except ClientError as error:
            if not is_damaged(error):
                raise
        # The file is another than the one that was remembered, or a piece was damaged on its way.
        Hashes().forget(path)
        return self._uploaded(path, name, progress)

    def with_data(
        self, configuration: Configuration, progress: Progress = _silent
    ) -> tuple[ConfigSource, list[Placed]]:
        """Returns a configuration whose files the server can read, for `train` and the like.

        Files of data and networks that lie in a data root of the server stay where they are; others
        of this machine are uploaded, unless the server has them, and named by their content.

        Args:
            configuration: As in `train`.
            progress: As in `upload`.

        Returns:
            The configuration, and what became of each of its files on this machine.

        Raises:
            InvalidRequest: It names the folder of a model, which is no file to send.
        """
        source = config_source(configuration)
        files, folder = local_files(source), local_model(source)
        try:
            if folder and not self._readable([folder / MANIFEST])[0]:
                raise InvalidRequest(FOLDER.format(folder=folder), "MODEL_NOT_READABLE")
            readable = self._readable(list(files.values())) if files else []
        except ClientError as error:
            if error.reason != "UNIMPLEMENTED":
                raise
            return source, []
        placed: list[Placed] = []
        for (key, path), is_there in zip(files.items(), readable, strict=True):
            size = path.stat().st_size
            if is_there:
                placed.append(Placed(key, path, "", size, 0))
                continue
            done = self.upload(path, progress=progress)
            reference = f"sha256:{done.dataset.sha256}"
            placed.append(Placed(key, path, reference, size, done.sent_bytes))
        references = {one.key: one.reference for one in placed if one.reference}
        return with_references(source, references) if references else source, placed

    def datasets(self, name: str = "") -> Iterator[pb.Dataset]:
        """Yields all data files of the server, or those of a name, the latest first."""
        token = ""
        while True:
            page = self.datasets_page(name, token)
            yield from page.datasets
            token = page.next_page_token
            if not token:
                return

    def datasets_page(self, name: str = "", token: str = "") -> pb.ListDatasetsResponse:
        """Returns a page of data files, and how much the server keeps and may keep."""
        request = pb.ListDatasetsRequest(page_size=PAGE, page_token=token, name=name)
        page: pb.ListDatasetsResponse = self._call(self._datasets.ListDatasets, request)
        return page

    def dataset(self, reference: str) -> pb.GetDatasetResponse:
        """Returns what is known of a data file, and who needs it.

        Args:
            reference: `dataset:NAME` (the newest version), `dataset:NAME@VERSION` or `sha256:HEX`.
        """
        request = pb.GetDatasetRequest(dataset=reference)
        answer: pb.GetDatasetResponse = self._call(self._datasets.GetDataset, request)
        return answer

    def delete_dataset(self, reference: str, force: bool = False) -> pb.DeleteDatasetResponse:
        """Deletes a version of a name, and the file with its last name; or a file with all names.

        Args:
            reference: As in `dataset`.
            force: Whether to delete it although a model was trained with it.
        """
        request = pb.DeleteDatasetRequest(dataset=reference, force=force)
        answer: pb.DeleteDatasetResponse = self._call(self._datasets.DeleteDataset, request)
        return answer

    def _uploaded(self, path: Path, name: str, progress: Progress) -> Uploaded:
        file = Hashes().of(path, lambda done, size: progress("hashing", done, size))
        return upload(
            self._connection, self._datasets, file, name, self._reconnect_seconds, progress
        )

    def _readable(self, paths: list[Path]) -> list[bool]:
        """Returns which files the server can read where they lie."""
        stats = [(path, path.stat()) for path in paths]
        request = pb.FindFilesRequest(
            files=[
                pb.LocalFile(
                    path=str(path), size_bytes=found.st_size, change_time_ns=found.st_mtime_ns
                )
                for path, found in stats
            ]
        )
        return list(self._call(self._datasets.FindFiles, request).readable)
