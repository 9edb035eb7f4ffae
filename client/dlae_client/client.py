"""The client: everything the service does, as methods."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dlae.v1 import training_pb2
from dlae_client.channel import CALL_SECONDS, Connection
from dlae_client.configuration import Configuration, config_source, model_name
from dlae_client.credentials import DEFAULT_SERVER, Credentials
from dlae_client.datasets import Datasets
from dlae_client.errors import (
    DataLost,
    NotFound,
)
from dlae_client.fetching import fetch_entry
from dlae_client.jobs import Job, JobOptions, Jobs, completed_options
from dlae_client.predictions import Predictions
from dlae_client.targets import Target, find_target

VALIDATE_SECONDS = 300.0
RECONNECT_SECONDS = 60.0


class Client(Datasets, Jobs, Predictions):
    """A connection to a DLAE server.

        with Client() as client:
            job = client.train("config.json", "tissue")
            model = client.wait(job.id).model
            output = client.predict(model, images)

    Every method raises a `ClientError` where the call fails.
    """

    def __init__(
        self,
        server: str | Target = DEFAULT_SERVER,
        reconnect_seconds: float = RECONNECT_SECONDS,
        credentials: Credentials | None = None,
        project: str = "",
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        """Prepares a connection; nothing is sent yet.

        Args:
            server: `host:port`; or all of server, credentials and project.
            reconnect_seconds: How long `watch` and `wait` try to reach a server that went away.
            credentials: A token, and files of TLS; what is not given comes from DLAE_TOKEN,
                DLAE_TLS_CA, DLAE_CLIENT_CERTIFICATE and DLAE_CLIENT_KEY, or the current context
                where that is of this server.
            project: Project whose jobs, data and models are meant; by default that of DLAE_PROJECT,
                or of the current context where that is of this server.
            call_seconds: How long calls may take that do nothing long.

        Raises:
            InvalidRequest: A token would go to another machine without TLS.
            LocalFileError: A file of them cannot be read, or by too many.
        """
        if not isinstance(server, Target):
            server = find_target(server, project=project, credentials=credentials)
        super().__init__(Connection(server, call_seconds), reconnect_seconds)

    @classmethod
    def from_context(
        cls, name: str = "", project: str = "", reconnect_seconds: float = RECONNECT_SECONDS
    ) -> Self:
        """Returns a client of the server that a context names; see `dlae-client context`.

        Args:
            name: The context; empty: what the command line uses without options, which is what
                DLAE_SERVER or DLAE_CONTEXT say, else the current context, else this machine.
            project: Another project than that of the context.
            reconnect_seconds: How long `watch` and `wait` try to reach a server that went away.

        Raises:
            NotFound: There is no context of this name.
            LocalFileError: The file of contexts cannot be read, or by too many.
        """
        return cls(find_target(context=name, project=project), reconnect_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def validate(self, configuration: Configuration) -> training_pb2.ValidateResponse:
        """Returns every mistake of a configuration, its data and its graph, and the networks."""
        request = training_pb2.ValidateRequest(config=config_source(configuration))
        answer: training_pb2.ValidateResponse = self._connection.call(
            self._training.Validate, request, VALIDATE_SECONDS
        )
        return answer

    def train(
        self,
        configuration: Configuration,
        name: str | None = None,
        options: JobOptions | None = None,
    ) -> Job:
        """Submits a job that makes a version of the model `name`; returns at once.

        Args:
            configuration: Path of a JSON file, its content as a dictionary, or a message.
            name: Name of the model; by default that of the file.
            options: Priority, labels, limits and devices. By default the job belongs to the user of
                this computer. A call that is repeated with the same `request_id`, the same
                configuration and the same options returns the job of the first.
        """
        return self.submit(configuration, name, options).job

    def submit(
        self,
        configuration: Configuration,
        name: str | None = None,
        options: JobOptions | None = None,
    ) -> training_pb2.TrainResponse:
        """Submits a job as `train`; returns it with the warnings that the configuration earned."""
        request = training_pb2.TrainRequest(
            config=config_source(configuration),
            name=model_name(configuration) if name is None else name,
            options=completed_options(options),
        )
        answer: training_pb2.TrainResponse = self._call(self._training.Train, request)
        return answer

    def run(
        self,
        configuration: Configuration,
        name: str | None = None,
        options: JobOptions | None = None,
    ) -> training_pb2.RunResponse:
        """Submits a job that does what `type_signal` says: it trains, or predicts a file.

        Args:
            configuration: As in `train`.
            name: Name of the job, and of the model that it makes; by default that of the file.
            options: As in `train`.
        """
        request = training_pb2.RunRequest(
            config=config_source(configuration),
            name=model_name(configuration) if name is None else name,
            options=completed_options(options),
        )
        answer: training_pb2.RunResponse = self._call(self._training.Run, request)
        return answer

    def fetch_result(self, job_id: str, destination: str | Path, overwrite: bool = False) -> Path:
        """Copies the predictions of an inference session here, as `fetch` does with a model.

        Args:
            job_id: A job that has succeeded.
            destination: The file, or a folder that is there, where it keeps its name.
            overwrite: Whether the file may exist.

        Raises:
            NotFound: There is no such job, or it has written nothing.
        """
        job = self.status(job_id)
        if not job.results:
            message = f"the job {job_id} has no predictions: it trains, or has not succeeded"
            raise NotFound(message, "RESULT_NOT_FOUND")
        file, path = job.results[0], Path(destination).expanduser()
        if Path(file.name).name != file.name:
            raise DataLost(f"the server named a file '{file.name[:80]}', no plain name", "NAME")

        def chunks(name: str, offset: int) -> Iterator[training_pb2.FetchResultResponse]:
            def begin(at: int) -> Any:
                request = training_pb2.FetchResultRequest(job_id=job_id, file=name, offset=at)
                return self._training.FetchResult(request)

            return self._connection.chunks(begin, offset, self._reconnect_seconds)

        return fetch_entry(file, chunks, path / file.name if path.is_dir() else path, overwrite)
