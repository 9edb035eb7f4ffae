"""The environment of worker processes: what is listed here, and nothing else.

The server's own may hold tokens, credentials of clouds and addresses of proxies.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from dlae_core.backbones.weight_files import FOLDER_VARIABLE

# Named as the server's options are.
DATA_DIR, DATA_ROOTS, SWITCH = "DLAE_DATA_DIR", "DLAE_DATA_ROOTS", "DLAE_CONFINEMENT"
# `on`: for a worker that trains together with those of other machines.
NETWORK = "DLAE_WORKER_NETWORK"

_PASSED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "LD_PRELOAD"),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONWARNINGS", "PYTHONHASHSEED", "VIRTUAL_ENV", "KERAS_HOME"),
    *("MPLCONFIGDIR", "XDG_CACHE_HOME"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("CUDA_DEVICE_ORDER", "CUDA_HOME", "CUDA_MODULE_LOADING", "CUDA_VISIBLE_DEVICES"),
    *("NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "ROCR_VISIBLE_DEVICES"),
    *("TF_DETERMINISTIC_OPS", "TF_ENABLE_ONEDNN_OPTS", "TF_FORCE_GPU_ALLOW_GROWTH"),
    *("TF_GPU_ALLOCATOR", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_XLA_FLAGS"),
    *("XLA_FLAGS", "DLAE_TEST_STAND_IN_GPUS", FOLDER_VARIABLE, DATA_DIR, DATA_ROOTS, SWITCH),
)
# Modules are never taken from the folder where the server was started, which may be one of data.
# joblib, which others bring, would look for semaphores that it does not need here.
_SET = {"PYTHONSAFEPATH": "1", "JOBLIB_MULTIPROCESSING": "0"}


def tell_workers(data_dir: Path, data_roots: Iterable[Path]) -> None:
    """Lets the processes that this one starts know their folders."""
    os.environ[DATA_DIR] = str(data_dir)
    os.environ[DATA_ROOTS] = os.pathsep.join(str(root) for root in data_roots)


def worker_environment(*further: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment of a worker."""
    found = {name: os.environ[name] for name in _PASSED if name in os.environ} | _SET
    for one in further:
        found |= one
    return found
