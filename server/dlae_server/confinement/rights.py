"""What a worker gives up when it begins, and once more when it knows its job."""

import logging
import os
import resource
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from dlae_core.backbones.weight_files import weight_folders
from dlae_server.confinement import kernel
from dlae_server.confinement.environment import DATA_DIR, DATA_ROOTS, NETWORK, SWITCH
from dlae_server.confinement.scratch import new_scratch

LOG = logging.getLogger(__name__)

_OPEN_FILES = 4096
# Of a thousand: where memory runs out, the kernel ends a worker before the server.
_FIRST_TO_GO = "500"
# Programs and libraries, and of the machine's settings those that libraries read.
_CODE = (
    *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt", "/nix/store", "/gnu/store"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime"),
    *("/etc/timezone", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/os-release"),
    *("/etc/mime.types", "/etc/fonts", "/etc/OpenCL", "/etc/vulkan", "/etc/nvidia", "/sys"),
)
# Not the environments of other processes.
_PROC = (
    *("self", "cpuinfo", "devices", "driver", "filesystems", "loadavg", "meminfo", "modules"),
    *("stat", "sys", "uptime", "version"),
)
_DEVICES = ("null", "zero", "full", "random", "urandom")
# Several GPUs exchange through memory that is shared, and find each other through the network.
_GPU_DEVICES = ("nvidia*", "nvidia-caps/*", "dri/*", "kfd", "dxg", "shm")
_GPUS = "nvidia[0-9]*"
# What the data folder has for workers to read: neither tokens nor the store.
_SHARED = ("jobs", "models", "datasets", "weights")


def confine(writes: str, reads_data: bool) -> None:
    """Gives up what a worker does not need; where the kernel has no means, so much is kept.

    Args:
        writes: Folder in the data folder that it writes to; empty: none.
        reads_data: Whether it reads the files that configurations name.
    """
    _limit()
    kernel.forbid_gaining()
    if (data_dir := _data_dir()) is None:
        return
    scratch = new_scratch(data_dir)
    tempfile.tempdir = os.environ["TMPDIR"] = str(scratch)
    if os.environ.get(SWITCH) == "off":
        return
    if os.environ.get(NETWORK) != "on" and len(list(Path("/dev").glob(_GPUS))) < 2:
        kernel.forbid_network()
    allowed = _code() | _devices() | {scratch: kernel.READ | kernel.WRITE}
    shared = [data_dir / name for name in _SHARED]
    # Keras has settings beside its weights, and does not begin where it may not read them.
    weights = [*weight_folders(), weight_folders()[-1].parent, _fonts()]
    for folder in (*shared, *weights, *(_data_roots() if reads_data else ())):
        allowed[folder] = kernel.READ
    if writes:
        (data_dir / writes).mkdir(exist_ok=True)
        allowed[data_dir / writes] = kernel.READ | kernel.WRITE
    kernel.restrict_files(allowed)


def confine_to(*folders: Path) -> None:
    """Gives up writing anywhere but to some folders, which exist, and the temporary one."""
    if _data_dir() is not None and os.environ.get(SWITCH) != "off":
        allowed = _devices() | dict.fromkeys((Path(tempfile.gettempdir()), *folders), kernel.WRITE)
        kernel.restrict_files(allowed, kernel.CHANGES)


def confine_to_reading(path: Path) -> None:
    """Gives up all files but one, and the libraries."""
    if _data_dir() is not None and os.environ.get(SWITCH) != "off":
        kernel.restrict_files(_code() | _devices() | {path: kernel.READ_FILE})


def log_confinement() -> None:
    """Writes to the log how far this machine confines workers."""
    version, network = kernel.landlock_version(), kernel.may_forbid_network()
    if os.environ.get(SWITCH) == "off":
        LOG.warning("workers may do what the server may, as %s is off", SWITCH)
    elif version and network:
        LOG.info("workers are confined to their files (Landlock %d), without network", version)
    else:
        missing = " and ".join(
            name for name, there in (("files", version), ("network", network)) if not there
        )
        LOG.warning("this machine's kernel cannot keep workers from %s of the server's", missing)
    data_dir = _data_dir()
    for root in _data_roots():
        if data_dir and data_dir.resolve().is_relative_to(root.resolve()):
            LOG.warning(
                "workers can read all of the data folder %s, as it lies in the data root %s: name "
                "a folder for --data-root, or for --data-dir, that keeps them apart",
                data_dir,
                root,
            )


def _data_roots() -> list[Path]:
    return [Path(root) for root in os.environ.get(DATA_ROOTS, "").split(os.pathsep) if root]


def _limit() -> None:
    os.umask(0o077)
    # A core dump would hold the data of patients.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _OPEN_FILES if most == resource.RLIM_INFINITY else min(most, _OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)


def _data_dir() -> Path | None:
    text = os.environ.get(DATA_DIR)
    return Path(text) if text and Path(text).is_dir() else None


def _fonts() -> Path:
    """Returns where matplotlib, which others bring, has a list of fonts that takes long to make."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return Path(os.environ.get("MPLCONFIGDIR") or cache / "matplotlib")


def _code() -> dict[Path, int]:
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    own = (sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path, *libraries)
    allowed = {Path(name): kernel.READ | kernel.EXECUTE for name in (*_CODE, *filter(None, own))}
    return allowed | {Path("/proc", name): kernel.READ for name in _PROC}


def _devices() -> dict[Path, int]:
    rights = kernel.READ_FILE | kernel.WRITE_FILE
    found = {Path("/dev", name): rights for name in _DEVICES}
    if any(Path("/dev").glob("nvidia*")) or Path("/dev/dxg").exists():
        for pattern in _GPU_DEVICES:
            found |= dict.fromkeys(Path("/dev").glob(pattern), kernel.READ | kernel.WRITE)
    return found
