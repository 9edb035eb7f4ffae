"""What a crash has left among the bundles goes at the next start, and nothing else."""

import asyncio
from pathlib import Path

from dlae_server.jobs.journal import Journal
from dlae_server.metrics import Metrics
from dlae_server.models.files import sweep
from dlae_server.settings import Settings
from dlae_server.store import Store
from tests.dlae_server.folders import add_model


def test_imports_and_models_that_were_not_told_of_go_and_others_stay(tmp_path: Path) -> None:
    store = Store(tmp_path / "dlae.sqlite3")
    # The last import was told of, but its passing folder was still there.
    for job_id in ("a", "import-2"):
        add_model(store, tmp_path, job_id)
    store.close()
    models = tmp_path / "models"
    left = ("import-1", ".coming-import-1", ".coming-import-2", ".leaving-x", "import-3")
    for name in left:
        (models / name).mkdir()
        (models / name / "model.keras").touch()

    async def work() -> None:
        journal = Journal(Settings("127.0.0.1:0", tmp_path, (tmp_path,), None), Metrics())
        await sweep(tmp_path, journal)
        await journal.close()

    asyncio.run(work())
    # `import-3` may be of a newer store than this.
    assert {path.name for path in models.iterdir()} == {"a", "import-2", "import-3"}
