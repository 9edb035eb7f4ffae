"""Where calls go: which server, with which credentials, for which project."""

import os
from dataclasses import dataclass, field

from dlae_client.contexts import current_context, read_contexts
from dlae_client.credentials import (
    DEFAULT_SERVER,
    Credentials,
    environment_credentials,
    merged,
)
from dlae_client.errors import InvalidRequest

SERVER_VARIABLE = "DLAE_SERVER"
PROJECT_VARIABLE = "DLAE_PROJECT"


@dataclass(frozen=True)
class Target:
    """Where calls go.

    Attributes:
        server: `host:port`.
        credentials: How each side proves who it is.
        project: Project whose jobs, data and models are meant; empty: what the server decides.
    """

    server: str
    credentials: Credentials = field(default_factory=Credentials)
    project: str = ""


def find_target(
    server: str = "",
    context: str = "",
    project: str = "",
    credentials: Credentials | None = None,
) -> Target:
    """Returns where calls go: as given, else as the environment says, else as the current context.

    A context that is named stands for itself: what it has not is not taken from the environment,
    which may speak of another server. Credentials and project of a context go to its server only.

    Raises:
        InvalidRequest: A context is named and another server, or the project has no name.
        NotFound: There is no context of this name.
        LocalFileError: A file cannot be read or understood, or others can read it.
    """
    if context:
        return _of_context(server, context, project, credentials)
    current = current_context()
    server = server or os.environ.get(SERVER_VARIABLE, "")
    server = server or (current.server if current else DEFAULT_SERVER)
    known = current if current and current.server == server else None
    found = merged(known.credentials if known else Credentials(), environment_credentials())
    wanted = project or os.environ.get(PROJECT_VARIABLE, "") or (known.project if known else "")
    return Target(server, merged(found, credentials), checked_project(wanted))


def checked_project(project: str) -> str:
    """Returns the name of a project, or nothing.

    Raises:
        InvalidRequest: It is no name that a call can carry.
    """
    if not project.isascii() or not project.isprintable() or " " in project or len(project) > 100:
        raise InvalidRequest(
            f"expected as project a name of ASCII characters without blanks, got '{project[:80]}'",
            "USAGE",
        )
    return project


def _of_context(server: str, context: str, project: str, credentials: Credentials | None) -> Target:
    found = read_contexts().named(context)
    if server not in ("", found.server):
        raise InvalidRequest(
            f"expected --server or --context, got both: {server}, and '{context}', which is "
            f"{found.server}",
            "USAGE",
        )
    wanted = checked_project(project or found.project)
    return Target(found.server, merged(found.credentials, credentials), wanted)
