"""Which jobs need the files of others, by an index in memory.

To search the texts of ten thousand jobs takes longer than a call may. The index may name too many
jobs, never too few: whoever asks looks at each of them again.
"""

import re
from collections.abc import Iterable, Iterator

# Places in the server's folder: what jobs have left, models, data files.
PLACES = ("/jobs/", "/models/", "/datasets/")
_NEEDED = re.compile(r'/(?:jobs|models)/([^/"\\]+)|/datasets/([0-9a-f]{64})\.')
# Entries that may be kept before those of jobs that have ended are left out.
MOST = 50_000


class Needs:
    """Jobs by what their configurations name: another job, a bundle, a data file.

    Args:
        jobs: Identifiers and configurations of all jobs that have not ended.
    """

    def __init__(self, jobs: Iterable[tuple[str, str]]) -> None:
        self._jobs: dict[str, set[str]] = {}
        self._size = 0
        for job_id, config in jobs:
            self.add(job_id, config)
        self._most = max(MOST, 2 * self._size)

    @property
    def is_full(self) -> bool:
        """Whether it is time to begin anew, without the jobs that have ended."""
        return self._size > self._most

    def add(self, job_id: str, config: str) -> None:
        """Adds a job."""
        for found in _NEEDED.finditer(config):
            self._jobs.setdefault(found[1] or found[2], set()).add(job_id)
            self._size += 1

    def of(self, key: str) -> Iterator[str]:
        """Yields the jobs that may need a job, a bundle or a data file, the first by name first."""
        yield from sorted(self._jobs.get(key, ()))

    def drop(self, key: str, job_id: str) -> None:
        """Leaves out a job that has ended."""
        self._jobs[key].discard(job_id)
        if not self._jobs[key]:
            del self._jobs[key]
