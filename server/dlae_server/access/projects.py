"""Projects: what belongs to one is to callers of another as if it did not exist.

In the store and among loaded models a name of another project than `default` is written
`project/name`. Names have no slash, so that no caller can write one of another project.
"""

import re

from dlae_server.errors import InvalidRequest

DEFAULT = "default"
# Of a grant: any project.
ALL = "*"
PROJECT_HEADER = "dlae-project"
PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def checked_project(name: str) -> str:
    """Returns the name of a project that is allowed.

    Raises:
        InvalidRequest: It is not.
    """
    if not PROJECT.fullmatch(name):
        raise InvalidRequest(
            "expected a project of 1 to 40 lower-case letters, digits, '-' and '_', starting with "
            f"a letter or digit, got '{name[:60]}'"
        )
    return name


def key_of(project: str, name: str) -> str:
    """Returns how a name of a project is written where there are those of others.

    Args:
        project: Empty: `default`.
        name: Of a model or a data file; a version may follow it.
    """
    return name if project in ("", DEFAULT) else f"{project}/{name}"


def name_of(key: str) -> str:
    """Returns the name that its own project knows."""
    return key.rpartition("/")[2]


def parted(key: str) -> tuple[str, str]:
    """Returns project and name."""
    project, _, name = key.rpartition("/")
    return project or DEFAULT, name
