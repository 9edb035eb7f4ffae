"""The tables, by migrations: entry n brings a store of version n to n + 1.

What stands here has been written to disks and never changes; new things are new entries.
"""

MIGRATIONS = (
    """
    CREATE TABLE jobs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        state INTEGER NOT NULL,
        config TEXT NOT NULL,
        job BLOB NOT NULL
    );
    CREATE INDEX jobs_by_state ON jobs (state, number);
    CREATE TABLE events (
        job_id TEXT NOT NULL REFERENCES jobs (id),
        sequence INTEGER NOT NULL,
        kind TEXT NOT NULL,
        event BLOB NOT NULL,
        PRIMARY KEY (job_id, sequence)
    ) WITHOUT ROWID;
    CREATE TABLE models (
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        job_id TEXT NOT NULL UNIQUE REFERENCES jobs (id),
        model BLOB NOT NULL,
        PRIMARY KEY (name, version)
    );
    """,
    # Models without a job, numbers that are given once only, aliases, and what has happened.
    """
    CREATE TABLE model_names (
        name TEXT PRIMARY KEY,
        last_version INTEGER NOT NULL
    ) WITHOUT ROWID;
    INSERT INTO model_names SELECT name, MAX(version) FROM models GROUP BY name;
    CREATE TABLE versions (
        name TEXT NOT NULL REFERENCES model_names (name),
        version INTEGER NOT NULL,
        bundle TEXT NOT NULL UNIQUE,
        job_id TEXT UNIQUE REFERENCES jobs (id),
        model BLOB NOT NULL,
        PRIMARY KEY (name, version)
    );
    INSERT INTO versions SELECT name, version, job_id, job_id, model FROM models;
    DROP TABLE models;
    ALTER TABLE versions RENAME TO models;
    CREATE TABLE aliases (
        name TEXT NOT NULL,
        alias TEXT NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (name, alias),
        FOREIGN KEY (name, version) REFERENCES models (name, version)
    ) WITHOUT ROWID;
    CREATE INDEX aliases_by_version ON aliases (name, version);
    CREATE TABLE model_changes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        change BLOB NOT NULL
    );
    CREATE INDEX model_changes_by_name ON model_changes (name, number);
    """,
    # What a job does, as in the enum `Job.Kind`: until now, all trained.
    """
    ALTER TABLE jobs ADD COLUMN kind INTEGER NOT NULL DEFAULT 1;
    CREATE INDEX jobs_by_kind ON jobs (kind, state);
    """,
    # What jobs are found and ordered by, requests that must not make a second one, and jobs whose
    # folders are still to go. Identifiers are names, a hyphen and four letters.
    """
    ALTER TABLE jobs ADD COLUMN name TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN user TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE jobs ADD COLUMN request_id TEXT;
    ALTER TABLE jobs ADD COLUMN request TEXT NOT NULL DEFAULT '';
    UPDATE jobs SET name = substr(id, 1, max(length(id) - 5, 0));
    CREATE UNIQUE INDEX jobs_by_request ON jobs (request_id);
    CREATE INDEX jobs_in_queue ON jobs (state, priority DESC, number);
    CREATE INDEX jobs_by_user ON jobs (user, state);
    CREATE TABLE labels (
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        job_id TEXT NOT NULL REFERENCES jobs (id),
        PRIMARY KEY (name, value, job_id)
    ) WITHOUT ROWID;
    CREATE INDEX labels_by_job ON labels (job_id);
    CREATE TABLE removals (job_id TEXT PRIMARY KEY) WITHOUT ROWID;
    """,
    # Data files by content, and names of them whose numbers are given once only.
    """
    CREATE TABLE datasets (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        sha256 TEXT NOT NULL UNIQUE,
        size_bytes INTEGER NOT NULL,
        dataset BLOB NOT NULL
    );
    CREATE TABLE dataset_names (
        name TEXT PRIMARY KEY,
        last_version INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE dataset_versions (
        name TEXT NOT NULL REFERENCES dataset_names (name),
        version INTEGER NOT NULL,
        sha256 TEXT NOT NULL REFERENCES datasets (sha256),
        PRIMARY KEY (name, version)
    ) WITHOUT ROWID;
    CREATE INDEX dataset_versions_by_file ON dataset_versions (sha256);
    """,
    # Jobs of one name among many thousands.
    """
    CREATE INDEX jobs_by_name ON jobs (name, number);
    """,
    # Projects: what there is belongs to `default`. Names in another are `project/name`; a file of
    # two projects has a row in each.
    """
    ALTER TABLE jobs ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
    DROP INDEX jobs_by_request;
    CREATE UNIQUE INDEX jobs_by_request ON jobs (project, request_id);
    CREATE INDEX jobs_by_project ON jobs (project, number);
    ALTER TABLE models ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
    CREATE INDEX models_by_project ON models (project, name, version);
    CREATE TABLE project_datasets (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        project TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        dataset BLOB NOT NULL,
        UNIQUE (project, sha256)
    );
    INSERT INTO project_datasets
        SELECT number, 'default', sha256, size_bytes, dataset FROM datasets;
    CREATE TABLE project_versions (
        name TEXT NOT NULL REFERENCES dataset_names (name),
        version INTEGER NOT NULL,
        project TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        PRIMARY KEY (name, version),
        FOREIGN KEY (project, sha256) REFERENCES project_datasets (project, sha256)
    ) WITHOUT ROWID;
    INSERT INTO project_versions SELECT name, version, 'default', sha256 FROM dataset_versions;
    DROP TABLE dataset_versions;
    DROP TABLE datasets;
    ALTER TABLE project_datasets RENAME TO datasets;
    ALTER TABLE project_versions RENAME TO dataset_versions;
    CREATE INDEX dataset_versions_by_file ON dataset_versions (project, sha256);
    CREATE INDEX datasets_by_file ON datasets (sha256);
    """,
)
