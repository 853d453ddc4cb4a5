"""The one table every data set is turned into.

| column | meaning |
|---|---|
| image | path of the image file relative to the data root, with forward slashes |
| identity | what must survive a change of view: a car model, a person |
| view | name of the view: one of the eight car views, or a pose such as `-15` |
| box | `[x0, y0, x1, y1]` in pixels from 0, the right and lower edges exclusive; null: the whole image |
| group | near duplicates, such as the photographs of a car's year or of a session; for splits that keep them together |
| capture | what both images of a training pair share where they can, such as session and light; or empty |
| split | `auxiliary` or `standard` where the data set prescribes it, else null |

A box can have a fifth number, the roll: degrees by which it is turned about its centre, clockwise as the image is seen.
"""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from benchmark.files import reading, replacing

CAR_VIEWS = ("left", "front_left", "front", "front_right", "right", "rear_right", "rear", "rear_left")
COLUMNS = ("image", "identity", "view", "box", "group", "capture", "split")


@dataclass(frozen=True)
class Account:
    """The account of one step of the data preparation: what it took in, dropped and gave out."""

    step: str
    images_in: int
    identities_in: int
    images_out: int
    identities_out: int
    dropped: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.dropped.items() if count) or "nothing"
        return (
            f"{self.step}: {self.images_in} images of {self.identities_in} identities in; dropped {reasons}; "
            f"{self.images_out} images of {self.identities_out} identities out"
        )


@dataclass(frozen=True)
class Reading:
    """A manifest, and what was left out of it.

    Attributes:
        manifest: the images.
        dropped: how many were left out for which reason.
        notes: sentences on what is odd in other files than images, such as lines of a CSV that match no image.
        estimated: a sentence for the tables on the labels that are estimates, empty if none is.
    """

    manifest: pd.DataFrame
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    estimated: str = ""

    @property
    def account(self) -> Account:
        """The account of reading: images in are those of the manifest plus the dropped ones."""
        identities = self.manifest["identity"].nunique()
        kept = len(self.manifest)
        return Account("read", kept + sum(self.dropped.values()), identities, kept, identities, self.dropped)


def build(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Return the manifest of `rows`, sorted by image, columns in order, missing optional values null."""
    frame = pd.DataFrame([{"capture": "", **row} for row in rows], columns=list(COLUMNS))
    frame = frame.astype(dict.fromkeys(("image", "identity", "view", "group", "capture"), str))
    frame = frame.astype({"box": object, "split": object})
    return frame.where(frame.notna(), None).sort_values("image", ignore_index=True)


def write(manifest: pd.DataFrame, path: Path) -> None:
    """Write a manifest as parquet."""
    with replacing(path) as temporary:
        manifest.to_parquet(temporary, index=False)


def read(path: Path) -> pd.DataFrame:
    """Read a manifest that `write` wrote."""
    with reading(path):
        return pd.read_parquet(path)
