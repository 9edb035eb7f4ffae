"""What the kernel says of processes that it ended for want of memory."""

from pathlib import Path

import pytest

from dlae_server.jobs.memory import kernel_kills


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({}, None),
        ({"proc/vmstat": "nr_free_pages 7\noom_kill 4\n"}, 4),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/memory.events": "low 0\noom 3\noom_kill 2\noom_group_kill 9\n",
                "proc/vmstat": "oom_kill 4\n",
            },
            2,
        ),
        (
            {
                "proc/self/cgroup": "5:devices:/\n4:memory,hugetlb:/job\n0::/\n",
                "sys/fs/cgroup/memory/job/memory.oom_control": "under_oom 0\noom_kill 1\n",
                "proc/vmstat": "oom_kill 4\n",
            },
            1,
        ),
        (
            {
                "proc/self/cgroup": "0::/../other\n",
                "sys/fs/cgroup/memory.events": "oom_kill 5\n",
            },
            5,
        ),
        ({"proc/self/cgroup": "nonsense\n", "proc/vmstat": "oom_kill x\n"}, None),
    ],
    ids=["nothing", "kernel", "version-2", "version-1", "container", "unreadable"],
)
def test_the_counter_nearest_to_the_process_is_read(
    tmp_path: Path, files: dict[str, str], count: int | None
) -> None:
    _write(tmp_path, files)
    assert kernel_kills(tmp_path) == count


def test_this_system_can_be_asked() -> None:
    assert kernel_kills() is None or kernel_kills() >= 0
