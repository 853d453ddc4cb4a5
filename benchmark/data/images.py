"""Making the image store: every image decoded, cropped and resized once, see `image_store`."""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.data import manifest as manifests
from benchmark.data import tree
from benchmark.data.image_store import ARRAY, FACTS, MANIFEST
from benchmark.data.manifest import Account
from benchmark.data.pictures import Pixels, crop, decode
from benchmark.errors import BenchmarkError
from benchmark.files import replacing, write_json
from benchmark.progress import progress

REJECTED = "rejected.csv"
CHUNK = 256  # images decoded before they are written; bounds the memory
TOLERATED = 0.01  # share of unusable images from which on the data set itself is at fault

T = TypeVar("T")


def build(
    manifest: pd.DataFrame,
    root: Path,
    image_size: int,
    margin: float,
    out: Path,
    workers: int = 2,
    rejected_path: Path | None = None,
) -> tuple[pd.DataFrame, Account]:
    """Write the store of a manifest into the folder `out` and return the manifest of the stored rows.

    Squares are made by `crop` with `image_size` and `margin`. Rows keep their order, whatever the number of threads
    (`workers`). Images that cannot be used are listed with their reasons in `rejected_path` (default: `rejected.csv` in
    `out`) and left out.

    Raises:
        BenchmarkError: the manifest is empty, an image lies outside `root`, or more than 1 % cannot be used.
    """
    if manifest.empty:
        raise BenchmarkError("there are no images to store; check data.root and data.views")
    tree.check(manifest["image"], root)
    out.mkdir(parents=True, exist_ok=True)
    (out / FACTS).unlink(missing_ok=True)
    rejected_path = rejected_path or out / REJECTED
    with replacing(out / ARRAY) as temporary:
        facts, reasons = _write(temporary, squares(manifest, root, image_size, margin, workers), image_size)
        rejected = _reject(manifest, reasons, rejected_path)
    stored = manifest[~rejected].reset_index(drop=True)
    stored = stored.assign(row=np.arange(len(stored), dtype=np.int64))
    manifests.write(stored, out / MANIFEST)
    write_json(out / FACTS, facts)
    dropped = {"unreadable or with a box outside the image": len(manifest) - len(stored)}
    identities = manifest["identity"].nunique(), stored["identity"].nunique()
    return stored, Account("store", len(manifest), identities[0], len(stored), identities[1], dropped)


def squares(
    manifest: pd.DataFrame, root: Path, image_size: int, margin: float, workers: int = 2
) -> Iterator[Pixels | str]:
    """Yield for each row its square, or the reason why there is none."""

    def square(row: tuple[str, list[float] | None]) -> Pixels | str:
        try:
            return crop(decode(root / row[0]), row[1], image_size, margin)
        except BenchmarkError as error:
            return str(error)

    yield from in_threads(square, list(zip(manifest["image"], manifest["box"], strict=True)), workers)


def in_threads(square: Callable[[T], Pixels | str], items: Sequence[T], workers: int = 2) -> Iterator[Pixels | str]:
    """Yield the square of each item, or why there is none, in their order, with a bar; CHUNK are held at once."""
    with ThreadPoolExecutor(workers) as pool, progress(desc="reading images", total=len(items), unit="image") as bar:
        for start in range(0, len(items), CHUNK):
            for result in pool.map(square, items[start : start + CHUNK]):
                bar.update()
                yield result


def _write(path: Path, made: Iterator[Pixels | str], size: int) -> tuple[dict[str, str], list[str | None]]:
    """Write the squares as an array; return its facts and, for each row, why it is missing or null.

    Plain writes, not a memory map: on a full disk they raise OSError, where a memory map kills the process.
    """
    digest = hashlib.sha256()
    reasons: list[str | None] = []
    with path.open("wb") as file, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")  # what is wrong with an image is a reason to list
        start = _header(file, 0, size)
        for square in made:
            reasons.append(square if isinstance(square, str) else None)
            if not isinstance(square, str):
                file.write(square.tobytes())
                digest.update(square.tobytes())
        file.seek(0)
        if _header(file, reasons.count(None), size) != start:
            raise RuntimeError("numpy's header changed its length with the number of images")
    return {"sha256": digest.hexdigest()}, reasons


def _header(file: IO[bytes], count: int, size: int) -> int:
    """Write the header (numpy leaves room in it for the count to grow) and return where the pixels start."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.tell()


def _reject(manifest: pd.DataFrame, reasons: list[str | None], path: Path) -> npt.NDArray[np.bool_]:
    """List the unusable images in `path`; return which they are."""
    rejected = np.array([reason is not None for reason in reasons], dtype=bool)
    listed = pd.DataFrame({"image": manifest["image"], "reason": reasons})[rejected]
    with replacing(path) as temporary:
        listed.to_csv(temporary, index=False, lineterminator="\n")
    if rejected.any() and rejected.sum() >= TOLERATED * len(manifest):
        raise BenchmarkError(
            f"{len(listed)} of {len(manifest)} images cannot be used, the first, {listed['image'].iloc[0]}, because "
            f"{listed['reason'].iloc[0]}; {path} lists them: repair them, or remove their labels"
        )
    return rejected
