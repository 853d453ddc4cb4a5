"""A small report page: facts, a table with everything a cell can hold, and two pictures."""

from pathlib import Path

from PIL import Image

from benchmark.config import settings
from benchmark.reporting.figures.canvas import Picture
from benchmark.reporting.page import Chapter, page
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.results.records import Facts, Failure
from tests.tools import PROJECT

HOSTILE = "<script>alert(1)</script>"
DIVERGED = Failure(cell="models/ours/seed1", status="diverged", reason="the loss adversarial is nan in cycle 120")
CELLS = [  # the order of each column differs from that of the others
    ("beta", "12.3 [10.1, 14.0]", "1,234", "+1.1", "< 0.001"),
    ("alpha", "n/a", "-", "-2.0", "0.5"),
    (HOSTILE, "9.8 [7.0, 11.0]", "56", "n/a", "0.02"),
    ("gamma", "100.0 [100.0, 100.0]", "1,000,000", "0.0", "0.02"),
]
SORTED = Sheet("Sorted, profile smoke", [Grid(["name", "rate", "count", "change", "p"], CELLS)], [f"Note {HOSTILE}"])
HEAD = [f"column {number}" for number in range(12)]
LONG = Sheet(
    "Long, profile smoke",
    [Grid(HEAD, [[f"{place}.{row} words" for place in HEAD] for row in range(n)], f"{n} rows") for n in (20, 40)],
)


def facts(*failed: Failure) -> Facts:
    """Return where the results of the page come from."""
    return Facts(
        name="smoke",
        settings=settings.profile("smoke", PROJECT / "params.yaml"),
        commit="0123abc",
        versions={"torch": "2.14.1"},
        devices=("a CPU",),
        counts={"standard": {"identities": 12, "images": 1300}},
        trained={},
        left_out={"random": 0},
        failed=failed,
    )


def picture(folder: Path, name: str, width: int, height: int) -> Picture:
    """Draw a red picture as PNG and as SVG."""
    (folder / "figures").mkdir(exist_ok=True)
    Image.new("RGB", (width, height), "red").save(folder / "figures" / f"{name}.png")
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><rect width="9" height="9"/></svg>'
    (folder / "figures" / f"{name}.svg").write_text(svg, encoding="utf-8")
    return Picture(f"figures/{name}", f"Picture {name}, profile smoke", f"What {name} shows.")


def report(folder: Path, *failed: Failure) -> str:
    """Return the page, its pictures from `folder`."""
    pictures = [picture(folder, "flat", 900, 300), picture(folder, "square", 300, 300)]
    chapters = [Chapter("Exhibits", [pictures[0], LONG]), Chapter("Nothing", []), Chapter("Samples", pictures[1:])]
    return page(facts(*failed), SORTED, chapters, folder)
