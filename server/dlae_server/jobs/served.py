"""The model of an inference session, found by reference."""

from pathlib import Path

from dlae.v1.config_pb2 import Config
from dlae_core.config.references import INFERENCE, MODEL, is_model_reference
from dlae_core.errors import InvalidConfig, Violation
from dlae_server.access.projects import DEFAULT, key_of
from dlae_server.errors import InvalidRequest, ModelNotFound
from dlae_server.jobs.journal import Journal
from dlae_server.models.registry import parse_reference

PATH = "paths.load_model"


async def model_in_place(
    config: Config, journal: Journal, data_dir: Path, project: str = DEFAULT
) -> str:
    """Puts the folder of a bundle in the place of a reference to a model of a project.

    Returns:
        The model, as `name@version`; empty where there is no reference.

    Raises:
        InvalidConfig: There is no such model.
        ShuttingDown: The store is closed.
        StorageFailed: The store cannot be read.
    """
    reference = config.paths.load_model
    if config.config_file.type_signal != INFERENCE or not is_model_reference(reference):
        return ""
    try:
        name, version = parse_reference(reference.removeprefix(MODEL))
        model = await journal.call(journal.store.model, key_of(project, name), version)
    except (InvalidRequest, ModelNotFound) as error:
        raise InvalidConfig([Violation(PATH, "MODEL_NOT_FOUND", str(error))]) from error
    config.paths.load_model = str(data_dir / "models" / model.bundle)
    return f"{model.name}@{model.version}"
