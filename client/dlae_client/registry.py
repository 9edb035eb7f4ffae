"""What a client does with models besides predicting."""

import getpass
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dlae.v1 import models_pb2 as pb
from dlae.v1.models_pb2_grpc import ModelServiceStub
from dlae_client.channel import Connection
from dlae_client.comparison import Comparison, compare
from dlae_client.errors import InvalidRequest, NotFound
from dlae_client.fetching import fetch_file, fetch_folder
from dlae_client.importing import import_header, send

PAGE = 200
NETWORK = "model.keras"
# Format -> the file of a model that has it.
FORMATS = {"keras": NETWORK, "onnx": "model.onnx"}


class Registry:
    """Models: listed, fetched, named, compared and deleted. A part of `Client`."""

    def __init__(self, connection: Connection, reconnect_seconds: float) -> None:
        self._connection = connection
        self._reconnect_seconds = reconnect_seconds

    @property
    def _models(self) -> Any:
        return self._connection.stub(ModelServiceStub)

    def models(self, name: str = "") -> Iterator[pb.Model]:
        """Yields all models, or those of a name, by name and the newest version first."""
        token = ""
        while True:
            request = pb.ListModelsRequest(page_size=PAGE, page_token=token, name=name)
            page = self._call(self._models.ListModels, request)
            yield from page.models
            token = page.next_page_token
            if not token:
                return

    def model(self, reference: str) -> pb.Model:
        """Returns what is known of a model, with its configuration.

        Args:
            reference: `name` (the newest version), `name@version` or `name@alias`.
        """
        request = pb.GetModelRequest(model=reference)
        model: pb.Model = self._call(self._models.GetModel, request).model
        return model

    def set_alias(self, reference: str, alias: str, why: str = "") -> pb.Model:
        """Has an alias mean a version, whatever it meant before; returns the version."""
        request = pb.SetAliasRequest(model=reference, alias=alias, who=user(), why=why)
        model: pb.Model = self._call(self._models.SetAlias, request).model
        return model

    def roll_back_alias(self, alias: str, why: str = "") -> pb.Model:
        """Has `name@alias` mean what it meant before; returns that version."""
        request = pb.RollBackAliasRequest(**_parts(alias), who=user(), why=why)
        model: pb.Model = self._call(self._models.RollBackAlias, request).model
        return model

    def remove_alias(self, alias: str, why: str = "") -> pb.Model:
        """Removes `name@alias`; returns the version that it meant, which stays."""
        request = pb.RemoveAliasRequest(**_parts(alias), who=user(), why=why)
        model: pb.Model = self._call(self._models.RemoveAlias, request).model
        return model

    def model_changes(self, name: str) -> Iterator[pb.ModelChange]:
        """Yields what has happened to the versions and aliases of a name, the latest first."""
        token = ""
        while True:
            request = pb.ListModelChangesRequest(name=name, page_size=PAGE, page_token=token)
            page = self._call(self._models.ListModelChanges, request)
            yield from page.changes
            token = page.next_page_token
            if not token:
                return

    def delete_model(self, reference: str, force: bool = False, why: str = "") -> pb.Model:
        """Deletes a version with its files; returns it as it was.

        Args:
            reference: As in `model`.
            force: Whether to delete it although an alias means it or a job needs it.
            why: For the record.
        """
        request = pb.DeleteModelRequest(model=reference, force=force, who=user(), why=why)
        model: pb.Model = self._call(self._models.DeleteModel, request).model
        return model

    def model_card(self, reference: str) -> pb.GetModelCardResponse:
        """Returns a description of a model: Markdown, JSON, and MONAI's `metadata.json`."""
        request = pb.GetModelCardRequest(model=reference)
        card: pb.GetModelCardResponse = self._call(self._models.GetModelCard, request)
        return card

    def compare(self, first: str, second: str) -> Comparison:
        """Returns what differs between two models."""
        return compare(self.model(first), self.model(second))

    def fetch(
        self, reference: str, destination: str | Path, file: str = "", overwrite: bool = False
    ) -> Path:
        """Copies a model here, checked and atomically; returns the destination.

        A server that goes away is waited for; a fetch that broke off goes on where it was when it
        is asked for again.

        Args:
            reference: As in `model`.
            destination: A folder for all files; or a file, where it ends in `.keras` or `file` is
                named.
            file: The one file wanted.
            overwrite: Whether the destination may exist.
        """
        path = Path(destination).expanduser()
        model = self.model(reference)
        chunks = self._chunks(f"{model.name}@{model.version}")
        wanted = file or (NETWORK if path.suffix == ".keras" else "")
        if wanted:
            return fetch_file(model, wanted, chunks, path, overwrite)
        return fetch_folder(model, chunks, path, overwrite)

    def export(
        self, reference: str, form: str, destination: str | Path, overwrite: bool = False
    ) -> Path:
        """Copies the network alone here, for other programs; returns the destination.

        Args:
            reference: As in `model`.
            form: `keras` or `onnx`. A `SavedModel` is made by `dlae-server export`, where Keras is.
            destination: The file.
            overwrite: Whether the destination may exist.

        Raises:
            NotFound: The model has no file of this form: its layers cannot be said in ONNX.
        """
        if form not in FORMATS:
            raise InvalidRequest(f"expected 'keras' or 'onnx', got '{form}'", "INVALID_REQUEST")
        model = self.model(reference)
        if FORMATS[form] not in {file.name for file in model.files}:
            raise NotFound(
                f"the model {model.name}@{model.version} cannot be said in ONNX; export it as "
                "'keras', or as a SavedModel with `dlae-server export`",
                "FILE_NOT_FOUND",
            )
        exact = f"{model.name}@{model.version}"
        return self.fetch(exact, destination, FORMATS[form], overwrite)

    def import_model(
        self,
        file: str | Path,
        configuration: str | Path | Mapping[str, Any],
        name: str,
        why: str = "",
    ) -> pb.ImportModelResponse:
        """Has the server store a network that something else trained.

        Returns the version and a sentence on what was taken: the network in the file where that
        consists of plain layers of Keras, else that of the configuration with the file's weights.

        Args:
            file: `.keras`, `.weights.h5`, or the `.h5` of Keras 2 and DLAE 1.0.
            configuration: Path or content of the configuration that it was trained with.
            name: Name of the model.
            why: For the record.
        """
        path = Path(file).expanduser()
        header = import_header(path, configuration)
        header.name, header.who, header.why = name, user(), why
        return send(self._connection, self._models, path, header, self._reconnect_seconds)

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        return self._connection.call(method, request)

    def _chunks(self, exact: str) -> Callable[[str, int], Iterator[pb.FetchModelResponse]]:
        def chunks(file: str, offset: int) -> Iterator[pb.FetchModelResponse]:
            def begin(at: int) -> Any:
                return self._models.FetchModel(
                    pb.FetchModelRequest(model=exact, file=file, offset=at)
                )

            return self._connection.chunks(begin, offset, self._reconnect_seconds)

        return chunks


def user() -> str:
    """Returns the user of this computer, for the record; empty where nobody knows."""
    try:
        return getpass.getuser()[:100]
    except (KeyError, OSError, ImportError):
        return ""


def _parts(alias: str) -> dict[str, str]:
    """Returns name and alias of `name@alias`.

    Raises:
        InvalidRequest: It is not of this form.
    """
    name, at, rest = alias.partition("@")
    if not (name and at and rest):
        raise InvalidRequest(f"expected 'name@alias', got '{alias[:80]}'", "INVALID_REQUEST")
    return {"name": name, "alias": rest}
