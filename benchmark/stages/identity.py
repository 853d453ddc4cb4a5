"""The identity measurement of all models and controls: the stage identity."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from benchmark import sources
from benchmark.cells import Cell
from benchmark.data import tiles
from benchmark.data.images import ImageStore
from benchmark.environment import open_fabric, versions
from benchmark.errors import BenchmarkError
from benchmark.evaluation import generate, identity, samples
from benchmark.evaluation.controls import OF_IDENTITY
from benchmark.evaluation.copying import pixel_distances
from benchmark.evaluation.draws import Draw, draw, measurable
from benchmark.evaluation.generate import Generate, Positions
from benchmark.evaluation.outputs import (
    FEATURES_FILE,
    Networks,
    Outputs,
    measure,
    pairs,
    reserve,
)
from benchmark.files import replacing
from benchmark.stages import extractor, trained
from benchmark.stages.attempts import Attempts, Task, Work, here
from benchmark.stages.data import check_nc, open_store
from benchmark.workspace import Run

OUTPUTS, OUTCOMES, SAMPLES = "outputs.safetensors", "outcomes.parquet", "samples.png"
SAMPLE_ROWS = 8


class Measurement:
    """What all rows of one run share: the store, the device and the networks."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.store: ImageStore = open_store(run)
        self.device: torch.device = open_fabric(run.device).device
        self.networks: Networks
        self.networks, self.digests = extractor.load_networks(run, self.store, self.device)
        self.versions = versions()
        standard = self.store.manifest["split"] == "standard"
        check_nc(run, self.store.manifest.loc[standard, "identity"].nunique())
        self.measurable, self.account = measurable(self.store.manifest, run.settings.evaluation.nc)

    def controls(self) -> list[str]:
        """Return the names of the controls that this data set allows."""
        rendered = self.run.settings.data.dataset == "rendered"
        return [name for name in OF_IDENTITY if name != "oracle" or rendered]

    def folder(self, name: str, seed: int) -> str:
        """Return the folder of a row's cells, relative to the run's."""
        return f"identity/{name}/seed{seed}"

    def outputs_cell(self, name: str, seed: int) -> Cell:
        """Return the cell of what a model or control makes of every standard image."""
        settings = self.run.settings
        roots = ["outputs", "generate", "copying", "samples", *(["oracle"] if name == "oracle" else [])]
        stages = [Path(__file__), Path(extractor.__file__), Path(trained.__file__)]
        stages += [Path(__file__).with_name("oracle.py")] if name == "oracle" else []
        fingerprint = {
            "made_by": self._made_by(name, seed),
            "networks": {f"{task}_hash": digest for task, digest in self.digests.items()},
            "data_hash": self.store.content_hash,
            "views": list(settings.data.views),
            "batch_size": settings.evaluation.batch_size,
            "threads": settings.threads,
            "sources": sources.hashes([*sources.closure(*(f"benchmark.evaluation.{root}" for root in roots)), *stages]),
            "versions": self.versions,
            "device": self.device.type,
        }
        return Cell(self.run.folder / self.folder(name, seed) / "outputs", fingerprint)

    def _made_by(self, name: str, seed: int) -> dict[str, Any]:
        """Return a trained model's weights and all they come from; nothing for a control."""
        return {} if name in OF_IDENTITY else trained.made_by(self.run, name, seed, self.store, self.device)

    def outcomes_cell(self, name: str, seed: int, nc: int, split: str) -> Cell:
        """Return the cell of the outcomes for one number of classes and one split."""
        evaluation = self.run.settings.evaluation
        roots = ("benchmark.evaluation.identity", "benchmark.evaluation.draws")
        fingerprint = {
            "outputs": self.outputs_cell(name, seed).fingerprint,
            "dataset": self.run.settings.data.dataset,
            "nc": nc,
            "split": split,
            "draws": evaluation.draws,
            "neighbours": evaluation.neighbours,
            "test_share": evaluation.test_share,
            "sources": sources.hashes([*sources.closure(*roots), Path(__file__)]),
        }
        return Cell(self.run.folder / self.folder(name, seed) / split / f"nc{nc}", fingerprint)

    def cells(self, name: str, seed: int) -> list[Cell]:
        """Return all cells of a model or control."""
        outcomes = (self.outcomes_cell(name, seed, nc, split) for split, nc in self.measurable)
        return [self.outputs_cell(name, seed), *outcomes]

    def is_described(self, name: str, seed: int) -> bool:
        """Whether what a model makes is stored, and made from what the settings, data and sources say now."""
        try:
            return self.outputs_cell(name, seed).done
        except BenchmarkError:  # the model's own training is missing or out of date
            return False

    def is_current(self, name: str, seed: int, nc: int, split: str) -> bool:
        """Whether a measurement is finished, and made from what the settings, data and sources say now."""
        try:
            return self.outcomes_cell(name, seed, nc, split).done
        except BenchmarkError:  # the model's own training is missing or out of date
            return False

    def record(self, name: str, seed: int) -> dict[str, Any]:
        """Return what is recorded of a model's training, nothing for a control."""
        if name in OF_IDENTITY:
            return {}
        return trained.finished(self.run, name, seed, self.store, self.device).record

    def outputs(self, name: str, seed: int) -> Outputs:
        """Return what a model or control makes of every standard image, from its cell or made now."""
        target = self.outputs_cell(name, seed)
        with self.run.lock(f"{self.folder(name, seed)}/outputs"):
            decision = target.decide()
            if decision.action == "skip":
                return Outputs.load(target.folder / OUTPUTS)
            print(f"{name} seed {seed}: generating and describing images ({decision.reason})")
            with target.making(decision):
                return self._describe(name, seed, target)

    def _describe(self, name: str, seed: int, target: Cell) -> Outputs:
        """Make the outputs of a model or control, and the samples to be shown."""
        views = len(self.run.settings.data.views)
        position, view = pairs(self.store.manifest, views, own_view_only=name == "real")
        function = self.generate_function(name, seed)
        batch_size = self.run.settings.evaluation.batch_size
        compared = pixel_distances(self.store)
        features = reserve(target.folder / OUTPUTS, len(position))
        described = measure(function, position, view, self.networks, compared, batch_size, self.device, features)
        described.save(target.folder / OUTPUTS)
        if name != "real":
            columns = samples.sample_columns(function, self.store, views, self.sampled())
            tiles.write(samples.tiles(columns), target.folder / SAMPLES)
        target.finish(OUTPUTS, FEATURES_FILE, *([SAMPLES] if name != "real" else []))
        return described

    def sampled(self) -> Positions:
        """Return the positions of the images whose outputs are kept to be shown."""
        return samples.sample_positions(self.store, len(self.run.settings.data.views), SAMPLE_ROWS)

    def generate_function(self, name: str, seed: int) -> Generate:
        """Return a control, or a trained generator."""
        settings = self.run.settings.data
        if name in ("real", "copy"):
            return generate.copy(self.store)
        if name == "mean_image":
            return generate.mean_image(self.store)
        if name == "oracle":
            from benchmark.stages.oracle import oracle

            return oracle(settings, self.store, self.store.subset("standard"))
        model = trained.generator(self.run, name, seed, self.store, self.device)
        return generate.trained(model, self.store)

    def measure(self, name: str, seed: int, wait: bool = True) -> None:
        """Make the outcomes of a model or control for both splits and every wanted number of classes.

        Raises:
            Timeout: another process measures the same, and `wait` is false.
        """
        with self.run.lock(self.folder(name, seed), wait):
            if not self.is_described(name, seed):  # its samples are shown even where all outcomes are there
                self.outputs(name, seed)
            for split, nc in self.measurable:
                target = self.outcomes_cell(name, seed, nc, split)
                decision = target.decide()
                print(f"{name} seed {seed}, {split} split, N_c {nc}: {decision.action} ({decision.reason})")
                if decision.action != "skip":
                    with target.making(decision):
                        self._write(self._outcomes(name, seed, nc, split), target)
                        target.finish(OUTCOMES)

    def _outcomes(self, name: str, seed: int, nc: int, split: str) -> pd.DataFrame:
        real, generated = self.outputs("real", 0), self.outputs(name, seed)
        neighbours = self.run.settings.evaluation.neighbours
        return identity.outcomes(self.draws(nc, split), self.store.manifest, real, generated, neighbours)

    def draws(self, nc: int, split: str) -> Iterator[Draw]:
        """Yield the draws, which are the same for every model."""
        evaluation, dataset = self.run.settings.evaluation, self.run.settings.data.dataset
        for number in range(evaluation.draws):
            yield draw(self.store.manifest, dataset, nc, number, evaluation.test_share, split)

    @staticmethod
    def _write(outcomes: pd.DataFrame, target: Cell) -> None:
        with replacing(target.folder / OUTCOMES) as temporary:
            outcomes.to_parquet(temporary, index=False)


def measure_identity(run: Run, attempts: Attempts | None = None, place: Callable[[Task], Work] = here) -> None:
    """Measure the controls and every wanted model, unless their cells are done, or their training has failed."""
    measurement = Measurement(run)
    print(measurement.account)
    controls = [(name, 0) for name in measurement.controls()]
    models = [(name, seed) for name in run.settings.models for seed in range(run.settings.seeds)]
    work = place(Task("identity", measurement.measure, measurement.cells))
    (attempts or Attempts()).each(work, [*controls, *models])
