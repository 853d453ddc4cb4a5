"""The machine a result is made on, as far as it can change the result."""

from importlib.metadata import version

from lightning_fabric import Fabric

from benchmark.errors import BenchmarkError


def open_fabric(device: str = "auto", precision: str = "32-true") -> Fabric:
    """Return Fabric on one device: `cpu`, `cuda`, or `auto` for a GPU where there is one.

    Raises:
        BenchmarkError: the device is not there.
    """
    try:
        return Fabric(accelerator=device, devices=1, precision=precision)  # type: ignore[arg-type]
    except Exception as error:  # Fabric's own exceptions have no common type
        raise BenchmarkError(f"the device {device} cannot be used here: {error}; choose --device cpu") from None


def versions() -> dict[str, str]:
    """Return the versions of the packages whose arithmetic shows in the results."""
    return {name: version(name) for name in ("torch", "torchvision", "numpy")}
