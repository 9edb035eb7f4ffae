"""The engines of one model, each loaded when it is first used."""

from functools import partial
from importlib import import_module
from pathlib import Path

from dlae_core.bundle import Manifest
from dlae_core.engines import Engine
from dlae_core.engines.choice import choose_engine, load_engine
from dlae_core.engines.precisions import BFLOAT16, FLOAT32, precision_obstacle
from dlae_core.errors import InvalidOptions


class Engines:
    """Runs one model in float32, and in the precisions that it was accepted in.

    Attributes:
        name: Of the engine for float32.
    """

    def __init__(
        self, bundle: Path, manifest: Manifest, wanted: str | None, threads: int | None
    ) -> None:
        """Chooses the engine for float32.

        Args:
            bundle: Folder of the model.
            manifest: What the model is.
            wanted: Name of the one engine that may be used; None: any.
            threads: That each may use; None: as many as there are cores.

        Raises:
            IncompatibleArtifact: The wanted engine cannot run this model.
        """
        self.name = choose_engine(manifest, wanted)
        self._manifest, self._wanted = manifest, wanted
        self._loaders = {FLOAT32: partial(load_engine, bundle, manifest, self.name, threads)}
        for precision, found in manifest.precisions.items():
            if not precision_obstacle(manifest, precision, wanted):
                self._loaders[precision] = partial(_load, bundle, found, precision, threads)
        self._loaded: dict[str, Engine] = {}

    @property
    def precisions(self) -> tuple[str, ...]:
        """Precisions that the model can be predicted with in here."""
        return tuple(self._loaders)

    def named(self, precision: str) -> str:
        """Returns the name of the engine for a precision of `precisions`."""
        return self.name if precision == FLOAT32 else self._manifest.precisions[precision]["engine"]

    def of(self, precision: str) -> Engine:
        """Returns the engine for a precision, loaded where it is not.

        Raises:
            InvalidOptions: The model cannot be predicted with in this precision here.
            CorruptArtifact: The file is none that the engine can load.
        """
        if precision not in self._loaders:
            obstacle = precision_obstacle(self._manifest, precision, self._wanted)
            known = " or ".join(self.precisions)
            raise InvalidOptions(f"expected the precision {known}, got {precision}, {obstacle}")
        if precision not in self._loaded:
            self._loaded[precision] = self._loaders[precision]()
        return self._loaded[precision]


def _load(bundle: Path, found: dict[str, str], precision: str, threads: int | None) -> Engine:
    path = bundle / Path(found["file"]).name
    load = import_module(f"dlae_core.engines.{found['engine']}").load
    engine: Engine = (
        load(path, threads, precision) if precision == BFLOAT16 else load(path, threads)
    )
    return engine
