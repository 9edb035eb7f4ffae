"""A store whose migration is killed is of one version or the other, and whole."""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlae.v1.models_pb2 import Model
from dlae_server.jobs.states import Job
from dlae_server.store import MIGRATIONS, Store

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("DLAE_CHAOS_KILLS", "4"))
MODELS = 20_000
OPENS = "import sys; from dlae_server.store import Store; print(1, flush=True); Store({path!r})"


def old_store(path: Path) -> None:
    """Writes a store of version 1 whose migration takes a while."""
    connection = sqlite3.connect(path)
    connection.executescript(MIGRATIONS[0])
    names = [(f"j{number}", f"m{number % 100}", number // 100 + 1) for number in range(MODELS)]
    jobs = [(job, Job(id=job, state=Job.STATE_SUCCEEDED).SerializeToString()) for job, *_ in names]
    models = [
        (name, version, job, Model(name=name, version=version, job_id=job).SerializeToString())
        for job, name, version in names
    ]
    connection.executemany("INSERT INTO jobs (id, state, config, job) VALUES (?, 4, '{}', ?)", jobs)
    connection.executemany("INSERT INTO models VALUES (?, ?, ?, ?)", models)
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()


def test_a_killed_migration_is_done_or_not_begun(tmp_path: Path) -> None:
    old_store(tmp_path / "old.sqlite3")
    versions = []
    for kill in range(KILLS):
        path = tmp_path / f"{kill}.sqlite3"
        shutil.copy(tmp_path / "old.sqlite3", path)
        program = OPENS.replace("{path!r}", f"__import__('pathlib').Path({str(path)!r})")
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        assert process.stdout
        process.stdout.readline()
        time.sleep(random.uniform(0, 0.25))
        process.kill()
        process.wait()
        process.stdout.close()
        connection = sqlite3.connect(path)
        versions += connection.execute("PRAGMA user_version").fetchone()
        assert connection.execute("SELECT COUNT(*) FROM models").fetchone() == (MODELS,)
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        assert ("aliases" in tables) == (versions[-1] >= 2)
        connection.close()
        store = Store(path)
        assert store.model("m7", None).version == MODELS // 100
        assert store.damage() == []
        store.close()
    assert set(versions) <= set(range(1, len(MIGRATIONS) + 1))
