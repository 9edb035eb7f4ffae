"""Models in the store as commands beside the server find them."""

from pathlib import Path

from dlae.v1.models_pb2 import Model
from dlae_server.access.projects import key_of, parted
from dlae_server.models.registry import parse_reference
from dlae_server.store import Store
from dlae_server.store.connection import STORE_FILE


def stored_model(data_dir: Path, model: str) -> Model:
    """Returns a model; a server may be running.

    Args:
        data_dir: The server's folder.
        model: `name`, `name@version` or `name@alias`; of another project than `default` with
            `project/` before it.

    Raises:
        InvalidRequest: It is none of them.
        ModelNotFound: There is none.
    """
    store = Store(data_dir / STORE_FILE, read_only=True)
    try:
        project, reference = parted(model)
        name, version = parse_reference(reference)
        return store.model(key_of(project, name), version)
    finally:
        store.close()
