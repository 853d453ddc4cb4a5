"""The identity measurement on validation identities: for choices between settings or models.

These are auxiliary identities that no network is trained on. The standard set is left to judge what was chosen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import pandas as pd

from benchmark.data.images import ImageStore
from benchmark.data.splitting import LEAST
from benchmark.environment import open_fabric
from benchmark.errors import BenchmarkError
from benchmark.evaluation import generate, identity
from benchmark.evaluation.copying import pixel_distances
from benchmark.evaluation.draws import draw, measurable
from benchmark.evaluation.generate import Generate
from benchmark.evaluation.outputs import Outputs, measure, pairs
from benchmark.reporting.tables import identity_table
from benchmark.results.records import Measured, Trained
from benchmark.settings import Profile
from benchmark.stages import extractor, trained
from benchmark.stages.attempts import Attempts
from benchmark.stages.data import open_store
from benchmark.stages.everything import prepare_everything, train_everything
from benchmark.stages.measured import terms, unusable
from benchmark.workspace import Run

CONTROLS = ("real", "copy", "mean_image")


def validate(run: Run, nc: Sequence[int] = ()) -> pd.DataFrame:
    """Train what is not trained yet, and measure controls and models on the validation identities.

    Args:
        run: with the models and training seeds. Trainings are its own cells; of the measurement nothing is kept.
        nc: numbers of classes; if left out, those of the run for which there are enough, or else all there are.

    Returns:
        The table of `tables.identity_table`.

    Raises:
        BenchmarkError: there are too few validation identities.
    """
    prepare_everything(_of_auxiliary(run))
    available = held_out(open_store(run)).manifest.query("split == 'standard'")["identity"].nunique()
    sizes = _sizes(run.settings, nc, available)
    train_everything(run, Attempts())
    return identity_table(_Measurement(run).rows(sizes), f"{run.name}, {available} validation identities")


def _of_auxiliary(run: Run) -> Run:
    """Return the run without what asks for many identities of the standard set, which play no part here."""
    settings = run.settings
    evaluation = settings.evaluation.model_copy(update={"nc": ()})
    fewshot = settings.fewshot.model_copy(update={"shots": ()})
    return replace(run, settings=settings.model_copy(update={"evaluation": evaluation, "fewshot": fewshot}))


def held_out(store: ImageStore) -> ImageStore:
    """Return the store with the validation identities in the place of the standard ones, which are gone."""
    kept = store.manifest[store.manifest["split"] != "standard"].reset_index(drop=True)
    return replace(store, manifest=kept.assign(split=kept["split"].replace("validation", "standard")))


def _sizes(settings: Profile, wanted: Sequence[int], available: int) -> list[int]:
    """Return the numbers of classes to measure with."""
    more = f"keep more from training by --set data.validation=SHARE, now {settings.data.validation}"
    if available < LEAST:
        raise BenchmarkError(f"validation needs {LEAST} identities and has {available}; {more}")
    if wanted and max(wanted) > available:
        raise BenchmarkError(
            f"N_c = {max(wanted)} is more than the {available} validation identities; choose at most {available} by "
            f"--nc, or {more}"
        )
    return sorted(set(wanted)) or [nc for nc in settings.evaluation.nc if nc <= available] or [available]


class _Measurement:
    """What all rows share: the images that are measured, the device and the networks."""

    def __init__(self, run: Run) -> None:
        self.run, self.trained_on = run, open_store(run)
        self.store = held_out(self.trained_on)
        self.device = open_fabric(run.device).device
        self.networks, _ = extractor.load_networks(run, self.trained_on, self.device)

    def rows(self, sizes: Sequence[int]) -> Iterator[Measured]:
        """Yield the outcomes of each control and model for both splits and every number of classes."""
        lacking, settings = unusable(self.store.manifest), self.run.settings
        places, account = measurable(self.store.manifest, sizes)
        print(account)
        for name, seeds in {**dict.fromkeys(CONTROLS, 1), **dict.fromkeys(settings.models, settings.seeds)}.items():
            outputs = [self._real] if name == "real" else [self._outputs(name, seed) for seed in range(seeds)]
            for split, nc in places:
                yield Measured(name, self._terms(name), split, nc, self._outcomes(outputs, split, nc), lacking[split])

    @cached_property
    def _real(self) -> Outputs:
        return self._outputs("real", 0)

    def _outputs(self, name: str, seed: int) -> Outputs:
        """Return what a control or model makes of every validation image."""
        print(f"{name} seed {seed}: generating and describing images of validation identities")
        settings = self.run.settings
        images = pairs(self.store.manifest, len(settings.data.views), own_view_only=name == "real")
        function, compared = self._generate_function(name, seed), pixel_distances(self.store)
        return measure(function, *images, self.networks, compared, settings.evaluation.batch_size, self.device)

    def _generate_function(self, name: str, seed: int) -> Generate:
        if name == "mean_image":
            return generate.mean_image(self.store)
        if name in CONTROLS:
            return generate.copy(self.store)
        model = trained.generator(self.run, name, seed, self.trained_on, self.device)
        return generate.trained(model, self.store)

    def _outcomes(self, outputs: Sequence[Outputs], split: str, nc: int) -> pd.DataFrame:
        """Return the outcomes of every training seed, all over the same draws."""
        evaluation, manifest = self.run.settings.evaluation, self.store.manifest
        dataset, share = self.run.settings.data.dataset, evaluation.test_share
        draws = [draw(manifest, dataset, nc, number, share, split) for number in range(evaluation.draws)]
        found = (identity.outcomes(draws, manifest, self._real, each, evaluation.neighbours) for each in outputs)
        return pd.concat([each.assign(seed=seed) for seed, each in enumerate(found)], ignore_index=True)

    def _terms(self, name: str) -> Trained:
        if name in CONTROLS:
            return Trained()
        return terms(trained.finished(self.run, name, 0, self.trained_on, self.device).record)
