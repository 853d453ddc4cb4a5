"""The few-shot measurement of all models and controls: the stage fewshot."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmark import sources
from benchmark.cells import Cell
from benchmark.data.images import ImageStore
from benchmark.environment import open_fabric, versions
from benchmark.errors import BenchmarkError
from benchmark.evaluation import augmentation, episodes, fewshot
from benchmark.evaluation.augmentation import Augmenter, Condition
from benchmark.evaluation.classifier import Recipe
from benchmark.evaluation.controls import OF_FEWSHOT
from benchmark.files import reading, replacing
from benchmark.stages import building, trained
from benchmark.stages.attempts import Attempts, Task, Work, here
from benchmark.stages.data import open_store
from benchmark.workspace import Run

EPISODES, OUTCOMES = "episodes.parquet", "outcomes.parquet"


class FewShotMeasurement:
    """What all rows of one run share: the store, the device and the episodes."""

    def __init__(self, run: Run) -> None:
        self.run, self.settings = run, run.settings.fewshot
        self.store: ImageStore = open_store(run)
        self.device: torch.device = open_fabric(run.device).device
        self.versions = versions()

    def controls(self) -> list[str]:
        """Return the names of the wanted controls that this data set allows."""
        rendered = self.run.settings.data.dataset == "rendered"
        return [name for name in OF_FEWSHOT if name in self.settings.controls and (rendered or name != "oracle")]

    def models(self) -> list[str]:
        """Return the names of the wanted models, and say which are left out.

        Raises:
            BenchmarkError: there is no model of a name that is to be left out.
        """
        check_skipped(self.run)
        skipped = [name for name in self.run.settings.models if name in self.settings.skip]
        if skipped:
            print(f"few-shot: leaves out {', '.join(skipped)} (fewshot.skip)")
        return [name for name in self.run.settings.models if name not in skipped]

    def episodes_cell(self) -> Cell:
        """Return the cell of the drawn classes and images."""
        drawn = self.settings.model_dump(mode="json", include={"ways", "shots", "episodes"})
        files = [*sources.closure("benchmark.evaluation.episodes"), Path(__file__)]
        fingerprint = {
            "dataset": self.run.settings.data.dataset,
            "data_hash": self.store.content_hash,
            "sources": sources.hashes(files),
            "versions": versions("numpy"),
            **drawn,
        }
        return Cell(self.run.folder / "fewshot" / "episodes", fingerprint)

    def episodes(self) -> pd.DataFrame:
        """Return the classes and images of all episodes, drawn once and stored."""
        cell = self.episodes_cell()
        with self.run.lock("fewshot/episodes"):
            decision = cell.decide()
            if decision.action != "skip":
                print(f"few-shot episodes: {decision.action} ({decision.reason})")
                with cell.making(decision):
                    self._draw(cell)
        with reading(cell.folder / EPISODES):
            return pd.read_parquet(cell.folder / EPISODES)

    def _draw(self, cell: Cell) -> None:
        settings, dataset = self.settings, self.run.settings.data.dataset
        drawn = episodes.draw_all(self.store.manifest, dataset, settings.ways, settings.shots, settings.episodes)
        with replacing(cell.folder / EPISODES) as temporary:
            drawn.to_parquet(temporary, index=False)
        cell.finish(EPISODES)

    def cell(self, name: str, seed: int) -> Cell:
        """Return the cell of the outcomes of a model or control."""
        made_by = {} if name in OF_FEWSHOT else trained.made_by(self.run, name, seed, self.store, self.device)
        roots = ["fewshot", "augmentation", *(["oracle"] if name == "oracle" else [])]
        stages = [Path(__file__), Path(trained.__file__)]
        stages += [Path(__file__).with_name("oracle.py")] if name == "oracle" else []
        fingerprint = {
            "made_by": made_by,
            "episodes": self.episodes_cell().fingerprint,
            "episodes_hash": self.episodes_cell().record.get("files", {}).get(EPISODES),
            "settings": self.settings.model_dump(mode="json", exclude={"controls", "skip"}),
            "stem": self.run.settings.extractor.stem,
            "threads": self.run.settings.threads,
            "sources": sources.hashes([*sources.closure(*(f"benchmark.evaluation.{root}" for root in roots)), *stages]),
            "versions": self.versions,
            "device": self.device.type,
        }
        return Cell(self.run.folder / "fewshot" / name / f"seed{seed}", fingerprint)

    def is_current(self, name: str, seed: int) -> bool:
        """Whether a measurement is finished, and made from what the settings, data and sources say now."""
        try:
            return self.cell(name, seed).done
        except BenchmarkError:  # the model's own training is missing or out of date
            return False

    def record(self, name: str, seed: int) -> dict[str, Any]:
        """Return what is recorded of a model's training, nothing for a control."""
        return {} if name in OF_FEWSHOT else trained.finished(self.run, name, seed, self.store, self.device).record

    def measure(self, name: str, seed: int, wait: bool = True) -> None:
        """Train and test the classifiers of a model or control, unless its cell is done.

        Raises:
            Timeout: another process measures the same, and `wait` is false.
        """
        every = self.episodes()
        with self.run.lock(f"fewshot/{name}/seed{seed}", wait):
            target = self.cell(name, seed)
            decision = target.decide()
            print(f"{name} seed {seed}, few-shot: {decision.action} ({decision.reason})")
            if decision.action != "skip":
                with target.making(decision):
                    self._write(self._outcomes(name, seed, every), target)
                    target.finish(OUTCOMES)

    @staticmethod
    def _write(outcomes: pd.DataFrame, target: Cell) -> None:
        with replacing(target.folder / OUTCOMES) as temporary:
            outcomes.to_parquet(temporary, index=False)

    def _outcomes(self, name: str, seed: int, every: pd.DataFrame) -> pd.DataFrame:
        settings, condition = self.settings, self.condition(name, seed, every)
        stem, augmented = self.run.settings.extractor.stem, condition.augmented
        recipe = Recipe(settings.steps, settings.batch_size, settings.learning_rate, stem, augmented)
        tasks = [fewshot.Task(episode, settings.shots) for _, episode in every.groupby("episode")]
        title = f"{name} seed {seed}, few-shot"
        found = [fewshot.outcomes(task, condition, self.store, recipe, self.device, seed, title) for task in tasks]
        return pd.concat(chain.from_iterable(found), ignore_index=True)

    def condition(self, name: str, seed: int, every: pd.DataFrame) -> Condition:
        """Return what a model or control adds to the real images of the episodes."""
        count = self.settings.generated
        if name == "oracle":
            return Condition(self._oracle(every, count))
        if name in OF_FEWSHOT:
            return augmentation.control(name, self.store, count)
        model = trained.generator(self.run, name, seed, self.store, self.device)
        return Condition(augmentation.generated(model, self.store, count))

    def _oracle(self, every: pd.DataFrame, count: int) -> Augmenter:
        from benchmark.stages.oracle import oracle

        data, training = self.run.settings.data, every["order"] < max(self.settings.shots)
        wanted = np.unique(every.loc[training, "position"].to_numpy())
        return augmentation.nearest_views(oracle(data, self.store, wanted), len(data.views), count)


def check_skipped(run: Run) -> None:
    """Raise BenchmarkError if `fewshot.skip` names a model that does not exist."""
    for name in run.settings.fewshot.skip:
        building.entry(run, name)


def measure_fewshot(run: Run, attempts: Attempts | None = None, place: Callable[[Task], Work] = here) -> None:
    """Measure the controls and every wanted model with every training seed, unless their cells are done.

    A control has no generator to train; its seeds are those of the classifier.
    """
    (run.folder / "fewshot").mkdir(parents=True, exist_ok=True)
    if not run.settings.fewshot.shots:
        print("few-shot: left out, fewshot.shots is empty")
        return
    measurement = FewShotMeasurement(run)
    names = [*measurement.controls(), *measurement.models()]
    places = [(name, seed) for name in names for seed in range(run.settings.seeds)]
    work = place(Task("fewshot", measurement.measure, lambda name, seed: [measurement.cell(name, seed)]))
    (attempts or Attempts()).each(work, places)
