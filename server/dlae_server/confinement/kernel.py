"""What a Linux kernel takes from the calling process for good: files by Landlock, the network.

Both hold for the thread that asks and those that it begins, so they come before all others.

Reference: https://docs.kernel.org/userspace-api/landlock.html, .../seccomp_filter.html.
"""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE, _MAKE_DIR, _MAKE_FILE, _REFER, _TRUNCATE = 3 << 4, 1 << 7, 1 << 8, 1 << 13, 1 << 14
READ = READ_FILE | READ_DIR
# Neither links, which the server might follow, nor programs.
WRITE = WRITE_FILE | _REMOVE | _MAKE_DIR | _MAKE_FILE | _REFER | _TRUNCATE
_ALL = (1 << 15) - 1
CHANGES = _ALL & ~(EXECUTE | READ)
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE
# The first version that knows all of these (Linux 6.2), and the first that scopes signals (6.12).
_FILES_VERSION, _SCOPES_VERSION = 3, 6
_NO_ABSTRACT_SOCKETS_NOR_SIGNALS = 3

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_GET_VERSION, _PATH_BENEATH = 1, 1
_SET_DUMPABLE, _SET_SECCOMP, _SET_NO_NEW_PRIVILEGES = 4, 22, 38

# Machine -> its number for the kernel, and that of the call `socket` there.
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_IO_URING_SETUP, _OTHER_NUMBERS = 425, 1 << 30
_EQUAL, _AT_LEAST = 0x15, 0x35
_ALLOW, _REFUSE, _AF_UNIX, _ACCESS = 0x7FFF0000, 0x00050000, 1, 13


def forbid_gaining() -> None:
    """Sees to it that no program started from here gains rights, and nobody reads our memory."""
    if sys.platform == "linux":
        libc = _libc()
        libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def landlock_version() -> int:
    """Returns the version of Landlock that there is; 0 where there is none that serves."""
    if sys.platform != "linux":
        return 0
    version = int(_libc().syscall(_CREATE, None, 0, _GET_VERSION))
    return version if version >= _FILES_VERSION else 0


def may_forbid_network() -> bool:
    """Returns whether `forbid_network` knows this machine."""
    return sys.platform == "linux" and platform.machine() in _SOCKET


def restrict_files(allowed: Mapping[Path, int], handled: int = _ALL) -> None:
    """Takes away all of the file system but some; does nothing where there is no Landlock.

    With all of it go signals to other processes, and sockets of theirs that are no files.

    Args:
        allowed: Files and folders, with all below, and what may be done with them; those that do
            not exist are left out.
        handled: What is taken away elsewhere.

    Raises:
        OSError: The kernel refused.
    """
    version = landlock_version()
    if not version:
        return
    head = struct.pack("Q", handled)
    if version >= _SCOPES_VERSION and handled == _ALL:
        head += struct.pack("QQ", 0, _NO_ABSTRACT_SOCKETS_NOR_SIGNALS)
    rules = _checked(_libc().syscall(_CREATE, head, len(head), 0))
    try:
        for path, rights in allowed.items():
            with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                _allow(rules, path, rights & handled)
        _libc().prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _checked(_libc().syscall(_RESTRICT, rules, 0))
    finally:
        os.close(rules)


def forbid_network() -> None:
    """Has all sockets refused but those of the machine's own files.

    Raises:
        OSError: The kernel refused.
    """
    if not may_forbid_network():
        return
    machine, socket = _SOCKET[platform.machine()]
    program = (
        _load(4),
        _jump(_EQUAL, machine, 0, 7),  # Numbers of another machine are refused,
        _load(0),
        _jump(_AT_LEAST, _OTHER_NUMBERS, 5, 0),  # as are the second ones of this one
        _jump(_EQUAL, _IO_URING_SETUP, 4, 0),  # and rings, which make sockets without the call.
        _jump(_EQUAL, socket, 0, 2),
        _load(16),
        _jump(_EQUAL, _AF_UNIX, 0, 1),
        _answer(_ALLOW),
        _answer(_REFUSE | _ACCESS),
    )
    code = ctypes.create_string_buffer(b"".join(program))
    filters = struct.pack("HP", len(program), ctypes.addressof(code))
    _checked(_libc().prctl(_SET_SECCOMP, 2, filters, 0, 0))


def _allow(rules: int, path: Path, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(descriptor):
            rights &= _OF_FILES
        rule = struct.pack("=Qi", rights, descriptor)
        _checked(_libc().syscall(_ADD, rules, _PATH_BENEATH, rule, 0))
    finally:
        os.close(descriptor)


def _load(offset: int) -> bytes:
    return struct.pack("HBBI", 0x20, 0, 0, offset)


def _jump(test: int, value: int, when: int, unless: int) -> bytes:
    """Returns a jump over as many commands as are given for each outcome."""
    return struct.pack("HBBI", test, when, unless, value)


def _answer(action: int) -> bytes:
    return struct.pack("HBBI", 0x06, 0, 0, action)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
