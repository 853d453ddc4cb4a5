"""Make the pictures, run every stage in a process of its own, and print a table of what each took."""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmark.reporting.sheets import Grid, Sheet, markdown
from tools.scale import project
from tools.scale.memory import Peak, peak

STAGES = ("prepare", "filter", "split", "extractor", "train", "identity", "fewshot", "collect", "report")
FILES = {
    "image store": "data/store/images.npy",
    "features of a model's images": "identity/vanilla/seed0/outputs/features.npy",
}
PAPERS_SIDE = 224


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.scale", description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000, 50_000])
    counts = parser.parse_args().images
    with tempfile.TemporaryDirectory() as folder:
        columns = {count: measure(Path(folder) / str(count), count) for count in counts}
    print(markdown(Sheet("Memory and the number of images", [_grid(columns)])))


def measure(folder: Path, images: int) -> dict[str, str]:
    """Return what each stage took at most, and what its files take."""
    project.make(folder, images)
    cells = {}
    for stage in STAGES:
        arguments = ["--profile", "scale", *(["--model", "vanilla"] if stage == "train" else [])]
        found = peak(f"pipelines.{stage}", arguments, folder)
        print(f"{images} images, {stage}: {_said(found)} MB, {found.seconds:.0f} s", file=sys.stderr)
        cells[f"`{stage}`, MB"] = _said(found)
    run = folder / "runs" / "scale"
    sizes = {f"{name} on disk, MB": f"{(run / path).stat().st_size / 1e6:,.0f}" for name, path in FILES.items()}
    larger = f"{images * PAPERS_SIDE**2 * 3 / 1e6:,.0f}"
    return {**cells, **sizes, f"image store at {PAPERS_SIDE} px, MB (computed)": larger}


def _said(found: Peak) -> str:
    return f"{found.anonymous:,.0f} / {found.resident:,.0f}"


def _grid(columns: Mapping[int, Mapping[str, str]]) -> Grid:
    names = next(iter(columns.values()))
    rows = [[name, *(column[name] for column in columns.values())] for name in names]
    return Grid(["own memory / with files", *(f"{count:,} images" for count in columns)], rows)


if __name__ == "__main__":
    main()
