"""A world of planted features in which the quality of every generator is known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.evaluation.draws import draw
from benchmark.evaluation.identity import outcomes
from benchmark.evaluation.outputs import Outputs, pairs
from benchmark.evaluation.rates import rates

CLASSES, GROUPS, IMAGES, VIEWS, WIDTH = 30, 3, 5, 5, 16  # IMAGES of each group
NC, DRAWS, NEIGHBOURS = 20, 6, 5
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class World:
    """The parts of a feature.

    Attributes:
        identity: how far apart classes are.
        group: how far apart the groups of a class are, such as the year folders of a car.
        view: how far apart views are.
        noise: how far apart images of the same class, group and view are.
    """

    identity: float = 1.0
    group: float = 0.0
    view: float = 1.0
    noise: float = 0.3

    @property
    def manifest(self) -> pd.DataFrame:
        """All images: as many of each class, of three groups, the views in turn."""
        number = np.arange(CLASSES * GROUPS * IMAGES)
        names = {"identity": number // (GROUPS * IMAGES), "group": number // IMAGES, "image": number}
        texts = {key: [f"{key}{n:03}" for n in values] for key, values in names.items()}
        return pd.DataFrame({**texts, "view_label": number % VIEWS, "split": "standard"})

    def features(self, position: NDArray[np.int64], view: NDArray[np.int64], seed: int) -> Floats:
        """Return features of pictures of the classes and groups at `position`, from a view, with fresh noise."""
        fixed, fresh = np.random.default_rng(0), np.random.default_rng(seed)
        classes, groups, views = (fixed.normal(size=(n, WIDTH)) for n in (CLASSES, CLASSES * GROUPS, VIEWS))
        group = position // IMAGES
        made = self.identity * classes[group // GROUPS] + self.group * groups[group] + self.view * views[view]
        return (made + self.noise * fresh.normal(size=made.shape)).astype(np.float32)

    def real(self) -> Outputs:
        """Return the real images."""
        position, view = pairs(self.manifest, VIEWS, own_view_only=True)
        return self.seen(position, view, self.features(position, view, seed=1))

    def oracle(self) -> Outputs:
        """Return a generator without fault: another picture of the same class and group, from the target view."""
        position, target = pairs(self.manifest, VIEWS, own_view_only=False)
        return self.seen(position, target, self.features(position, target, seed=2))

    def seen(self, position: NDArray[np.int64], target: NDArray[np.int64], features: Floats) -> Outputs:
        """Return outputs with these features; the view is the one whose mean real feature is nearest."""
        own = self.manifest["view_label"].to_numpy()
        every = self.features(np.arange(len(own)), own, seed=3)
        means = np.stack([every[own == view].mean(0) for view in range(VIEWS)])
        distance = np.linalg.norm(features[:, None] - means, axis=2)  # (M, VIEWS)
        nowhere = np.full(len(position), np.nan, np.float32)
        return Outputs(position, target, features, distance.argmin(1), nowhere, nowhere, nowhere)

    def noisy(self, level: float) -> Outputs:
        """Return the oracle with so much noise on its features, as if its pictures were blurred."""
        made = self.oracle()
        noise = np.random.default_rng(4).normal(size=made.features.shape)
        return self.seen(made.position, made.target, (made.features + level * noise).astype(np.float32))

    def swapped(self, share: float) -> Outputs:
        """Return the oracle with another class drawn in so many of its pictures."""
        made, random = self.oracle(), np.random.default_rng(5)
        chosen = random.random(len(made.target)) < share
        other = (made.position + random.integers(1, CLASSES, len(chosen)) * GROUPS * IMAGES) % len(self.manifest)
        shown = np.where(chosen, other, made.position)
        return self.seen(made.position, made.target, self.features(shown, made.target, seed=2))

    def turned_wrong(self, share: float) -> Outputs:
        """Return the oracle with another view drawn in so many of its pictures."""
        made, random = self.oracle(), np.random.default_rng(6)
        chosen = random.random(len(made.target)) < share
        shown = np.where(chosen, (made.target + random.integers(1, VIEWS, len(chosen))) % VIEWS, made.target)
        return self.seen(made.position, made.target, self.features(made.position, shown, seed=2))

    def constant(self, features: Floats) -> Outputs:
        """Return a generator that answers each target view with one feature of (VIEWS, WIDTH), whatever the input."""
        made = self.oracle()
        return self.seen(made.position, made.target, features[made.target])

    def outcomes(
        self, generated: Outputs, split: str = "random", shuffle: bool = False, draws: int = DRAWS
    ) -> pd.DataFrame:
        """Return the outcomes of several draws; `shuffle` reassigns the identities to the images before each."""
        parts = []
        for number in range(draws):
            manifest = self.manifest
            if shuffle:
                manifest["identity"] = np.random.default_rng(number).permutation(manifest["identity"])
            one = [draw(manifest, "planted", NC, number, 0.2, split)]
            parts.append(outcomes(one, manifest, self.real(), generated, NEIGHBOURS).assign(draw=number))
        return pd.concat(parts, ignore_index=True)

    def rates(self, generated: Outputs, split: str = "random") -> "pd.Series[float]":
        """Return top1, top5, view and joint of a generator."""
        return rates(self.outcomes(generated, split), NC).mean()
