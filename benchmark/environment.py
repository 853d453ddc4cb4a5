"""The machine a result is made on, as far as it can change the result."""

import ctypes
import logging
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.errors import BenchmarkError

if TYPE_CHECKING:
    import torch
    from lightning_fabric import Fabric
    from lightning_fabric.loggers.logger import Logger

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # environment variables
CPUINFO = Path("/proc/cpuinfo")
NVIDIA = Path("/proc/driver/nvidia")
KEPT = {-3: 32 * 2**20, -1: 512 * 2**20}  # of glibc: M_MMAP_THRESHOLD, M_TRIM_THRESHOLD; bytes


def use_threads(count: int | None) -> None:
    """Give this process, and those that it starts, `count` threads, or one for each core where there are fewer cores.

    None leaves them what they have.

    Sums of floating-point numbers, and so the last digits of every result, depend on the number.
    """
    if count is None:
        return
    count = min(count, os.cpu_count() or 1)
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    os.environ.update(dict.fromkeys(THREADS, str(count)))  # for libraries that are loaded later
    threadpool_limits(count)  # for those that are loaded already
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)


def keep_freed_memory() -> None:
    """Have glibc keep what a step of training frees, for the next one; elsewhere nothing is done.

    By itself it gives large blocks back to the system at once, and gets them page by page again: 4 % of a step.
    """
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        for option, value in KEPT.items():
            library.mallopt(option, value)


def open_fabric(
    device: str = "auto", precision: str = "32-true", *watchers: "Logger", kind: "type[Fabric] | None" = None
) -> "Fabric":
    """Return Fabric, or what is derived from it, on one device: `cpu`, `cuda`, or `auto` for a GPU where there is one.

    `watchers` are loggers that are callbacks, too.

    Raises:
        BenchmarkError: the device is not there.
    """
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.utilities.rank_zero import rank_zero_only
    from torch.cuda import is_available

    rank_zero_only.rank = 0  # type: ignore[attr-defined]  # one process on one device: what a scheduler tells of others does not matter
    keep_freed_memory()
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it names the precision each time
    try:
        chosen: dict[str, Any] = {"accelerator": device, "devices": 1, "precision": precision}
        chosen["plugins"] = [LightningEnvironment()]
        return (kind or Fabric)(**chosen, loggers=[*watchers], callbacks=[*watchers])
    except Exception as error:  # Fabric's own exceptions have no common type
        if device == "cuda" and not is_available():
            raise BenchmarkError("torch finds no GPU here; choose --device cpu") from None
        raise BenchmarkError(f"the device {device} cannot be used here: {error}; choose --device cpu") from None


def device_type(device: str) -> str:
    """Return the type of the device that `open_fabric` opens, such as `cpu`; torch is asked only where it must be."""
    if device != "auto":
        return device
    if "torch" not in sys.modules and sys.platform == "linux" and not NVIDIA.exists() and not Path("/dev/kfd").exists():
        return "cpu"  # no driver of a GPU is loaded
    return open_fabric(device).device.type


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of installed packages."""
    return {name: version(name) for name in packages}


def device_name(device: "torch.device") -> str:
    """Return the name of the GPU, or that of the processor and the number of threads that torch uses on it."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{_processor()}, torch threads: {torch.get_num_threads()}"


def _processor() -> str:
    """Return the processor's model, or its architecture where the system does not tell the model."""
    lines = CPUINFO.read_text(encoding="utf-8").splitlines() if CPUINFO.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
