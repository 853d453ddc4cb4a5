"""The machine a result is made on, as far as it can change the result."""

from importlib.metadata import version
from typing import TYPE_CHECKING

from benchmark.errors import BenchmarkError

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def open_fabric(device: str = "auto", precision: str = "32-true") -> "Fabric":
    """Return Fabric on one device: `cpu`, `cuda`, or `auto` for a GPU where there is one.

    Raises:
        BenchmarkError: the device is not there.
    """
    from lightning_fabric import Fabric

    try:
        return Fabric(accelerator=device, devices=1, precision=precision)  # type: ignore[arg-type]
    except Exception as error:  # Fabric's own exceptions have no common type
        raise BenchmarkError(f"the device {device} cannot be used here: {error}; choose --device cpu") from None


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of `packages`, by default those whose arithmetic shows in every result."""
    return {name: version(name) for name in packages or ("torch", "torchvision", "numpy")}
