"""The stage warm_start: what is shared, what it is trained on, and that training begins with it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from benchmark.data.image_store import open_store
from benchmark.errors import BenchmarkError
from benchmark.execution import tasks
from benchmark.execution.stages import make_warm_starts
from benchmark.making import building, warm_start
from benchmark.making import generator as training
from benchmark.run.artifacts import Artifact
from benchmark.run.cache import fingerprint, is_done
from benchmark.run.workspace import Run
from benchmark.stages.data import prepare_data
from benchmark.training.sampling import AuxiliaryBatches
from benchmark.training.warm_up import HeldOut
from models.interface import ViewModel
from tests.stages.conftest import empty_run
from tests.stages.helpers import changed, do
from tests.tools import TINY

MODELS = ["ours", "dr_gan", "cr_gan", "two_step", "unet", "vanilla", "dr_gan_sigmoid"]
SHARED, SIGMOID = "identity_view_gan-discriminator.Discriminator", "identity_view_gan-dr_gan.SigmoidDiscriminator"
READER = "two_step-two_step.LabelReader"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run of several models whose data are prepared."""
    with empty_run(tmp_path_factory.mktemp("warm"), "warm") as empty:
        asked = {"models": MODELS, "training__warm_up": {"steps": 3, "view_weight": 0.2}, "seeds": 1}
        opened = changed(empty, **asked)
        prepare_data(opened)
        yield opened


def weights(run: Run, model: str, seed: int = 0) -> Path:
    found = warm_start.of_model(run, model, seed)
    assert found
    return found.cell(run).folder / warm_start.WEIGHTS


def made_from(run: Run, model: str) -> dict[str, Any]:
    found = warm_start.of_model(run, model, 0)
    assert found
    return fingerprint(run, found)


def starts(run: Run) -> dict[str, str]:
    """The networks that are trained for a run, each with the model for which."""
    first = [task.name for task in tasks.training(run) if task.kind == "warm_start"]
    found = {model: warm_start.of_model(run, model, 0) for model in first}
    return {artifact.name: model for model, artifact in found.items() if artifact}


def test_models_with_the_same_discriminator_share_one(run: Run) -> None:
    found = {model: warm_start.of_model(run, model, 0) for model in MODELS}
    names = {model: artifact and artifact.name for model, artifact in found.items()}
    shared = {model: SHARED for model in ("ours", "dr_gan", "unet", "vanilla")}
    assert names == {**shared, "dr_gan_sigmoid": SIGMOID, "cr_gan": None, "two_step": READER}
    assert len({json.dumps(made_from(run, model), sort_keys=True) for model in shared}) == 1
    assert starts(run) == {SHARED: "ours", SIGMOID: "dr_gan_sigmoid", READER: "two_step"}


def test_one_of_each_seed_is_made_once(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    make_warm_starts(changed(run, seeds=2))
    assert capsys.readouterr().out.count("3 steps") == 4
    made = {seed: weights(run, "ours", seed).read_bytes() for seed in (0, 1)}
    assert made[0] != made[1]
    make_warm_starts(run)
    assert "make" not in capsys.readouterr().out
    other = replace(run, folder=Path("alone/runs/other"), settings=changed(run, models=["vanilla"]).settings)
    other.folder.mkdir(parents=True)
    (other.folder / "data").symlink_to(run.data.absolute())
    make_warm_starts(other)  # another model of the same discriminator makes the same bytes
    assert weights(other, "vanilla").read_bytes() == made[0]


@pytest.fixture
def begun(run: Run, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, torch.Tensor]]:
    """The weights with which adversarial training begins, of every training run that is started."""
    found: list[dict[str, torch.Tensor]] = []

    def watched(network: ViewModel, *arguments: Any) -> Any:
        found.append({key: value.clone() for key, value in network.state_dict().items()})
        return trained(network, *arguments)

    trained = training.loop.train
    monkeypatch.setattr(training.loop, "train", watched)
    return found


@pytest.mark.parametrize("model", ["ours", "dr_gan_sigmoid"])
def test_training_begins_with_it(run: Run, model: str, begun: list[dict[str, torch.Tensor]]) -> None:
    do(run, "train", model)
    warm = load_file(weights(run, model))
    for key, value in warm.items():
        assert torch.equal(begun[0][f"discriminator.{key}"], value), key
    record = json.loads((run.folder / f"models/{model}/seed0/run.json").read_text(encoding="utf-8"))
    assert record["warm_up_steps"] == 3


def test_without_the_setting_or_the_discriminator_there_is_none(run: Run, begun: list[dict[str, torch.Tensor]]) -> None:
    cold = replace(changed(run, training__warm_up={"steps": 0, "view_weight": 0.2}), folder=Path("runs/cold"))
    cold.folder.mkdir()
    (cold.folder / "data").symlink_to(run.data.absolute())
    for model, of in (("vanilla", cold), ("cr_gan", run)):
        do(of, "train", model)
        assert warm_start.of_model(of, model, 0) is None
        record = json.loads((of.folder / f"models/{model}/seed0/run.json").read_text(encoding="utf-8"))
        assert record["warm_up_steps"] == 0
    assert not (cold.folder / "warm_starts").exists()
    untrained = building.build(run, "vanilla", open_store(run)).state_dict()
    assert torch.equal(begun[0]["discriminator.identity.weight"], untrained["discriminator.identity.weight"])


def test_a_warm_start_that_the_method_has_needs_no_setting(run: Run, begun: list[dict[str, torch.Tensor]]) -> None:
    """Two-Step's S, which Z and the decoder then leave as it is."""
    of = changed(run, training__warm_up={"steps": 0, "view_weight": 0.2})
    do(of, "train", "two_step")
    warm = load_file(weights(of, "two_step"))
    for network, attribute in (("encoder", "specified"), ("classifier", "classifier")):
        own = {key.partition(".")[2]: value for key, value in warm.items() if key.startswith(f"{network}.")}
        assert own
        assert all(torch.equal(begun[0][f"{attribute}.{key}"], value) for key, value in own.items())
    trained = load_file(of.folder / "models/two_step/seed0/generator.safetensors")
    assert torch.equal(trained["specified.code.weight"], warm["encoder.code.weight"])
    record = warm_start.of_model(of, "two_step", 0).cell(of).record  # type: ignore[union-attr]
    generator = Artifact("generator", "two_step").cell(of).record
    assert generator["warm_up_steps"] == record["steps"] > 0
    assert (record["view"], record["seconds"] > 0) == (None, True)


def test_only_training_identities_are_seen(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, list[np.ndarray[Any, Any]]] = {"trained": [], "held out": []}

    class Watched(AuxiliaryBatches):
        def __init__(self, images: Any, rows: Any, *rest: Any) -> None:
            seen["trained"].append(rows)
            super().__init__(images, rows, *rest)

    def held_out(images: Any, rows: Any, *rest: Any) -> HeldOut:
        seen["held out"].append(rows)
        return HeldOut(images, rows, *rest)

    monkeypatch.setattr(warm_start, "AuxiliaryBatches", Watched)
    monkeypatch.setattr(warm_start.warm_up, "HeldOut", held_out)
    do(run, "warm_start", "ours", 7)
    manifest = open_store(run).manifest
    allowed = set(manifest.loc[manifest["split"] == "auxiliary", "row"])
    trained, kept = set(seen["trained"][0]), set(seen["held out"][0])
    assert trained | kept == allowed
    assert not trained & kept
    identities = manifest.set_index("row")["identity"]
    assert set(identities.loc[sorted(kept)]) == set(identities.loc[sorted(trained)])


def test_a_model_without_the_class_method_is_one_sentence(run: Run, tmp_path: Path) -> None:
    plugin = tmp_path / "half.py"
    plugin.write_text(
        TINY.read_text(encoding="utf-8")
        .replace("CycleReport, ", "CycleReport, WarmStart, ")
        .replace("    def __init__", '    warm_start = WarmStart("network")\n\n    def __init__', 1),
        encoding="utf-8",
    )
    half = replace(changed(run, models=["half"]), plugins=(plugin,))
    with pytest.raises(BenchmarkError, match="warm_start_network"):
        do(half, "train", "half")


def own_discriminator(folder: Path, body: str) -> Path:
    """Write a plug-in that is `ours` with a discriminator of its own."""
    path = folder / "own.py"
    path.write_text(
        '"""Ours with another discriminator."""\n\nimport torch\n\nfrom models.ours import Ours\n\n\n'
        f"class Own(Ours):\n    @classmethod\n    def warm_start_network(cls, spec):\n        {body}\n",
        encoding="utf-8",
    )
    return path


def test_a_plug_in_that_builds_its_own_shares_it_with_no_other(run: Run, tmp_path: Path) -> None:
    plugin = own_discriminator(tmp_path, "return cls.DISCRIMINATOR(spec)")
    own = replace(changed(run, models=["own", "ours"]), plugins=(plugin,))
    assert starts(own) == {SHARED: "ours", "models_from_file_own-discriminator.Discriminator": "own"}
    assert made_from(own, "own") != made_from(own, "ours")


@pytest.mark.parametrize("body", ["return None", "return torch.nn.Linear(3, 2)", "return 1 / 0"])
def test_a_wrong_discriminator_is_one_sentence(run: Run, body: str, tmp_path: Path) -> None:
    wrong = replace(changed(run, models=["own"]), plugins=(own_discriminator(tmp_path, body),))
    with pytest.raises(BenchmarkError, match="Own names discriminator in warm_start") as error:
        make_warm_starts(wrong)
    assert "\n" not in str(error.value)
    assert not list(run.folder.glob("warm_starts/*own*"))


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"training__warm_up": {"steps": 4, "view_weight": 0.2}}, True),
        ({"training__warm_up": {"steps": 3, "view_weight": 1.0}}, True),
        ({"training__width": 0.25}, True),
        ({"threads": 2}, True),
        ({"training__images": 32}, False),
        ({"training__attribute_weight": 1.0}, False),
        ({"training__noise": 0.5}, False),
        ({"fewshot__steps": 2}, False),
    ],
)
def test_what_makes_it_again(run: Run, change: dict[str, Any], again: bool) -> None:
    before, now = made_from(run, "ours"), made_from(changed(run, **change), "ours")
    assert (before != now) == again


def test_a_network_of_another_shape_is_one_sentence(run: Run, tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        '"""A model."""\n\nfrom dataclasses import replace\n\nfrom models.ours import Ours\n\n\n'
        'class Mine(Ours):\n    """Its discriminator is not the one that it trains."""\n\n'
        "    @classmethod\n    def warm_start_network(cls, spec):\n"
        "        return super().warm_start_network(replace(spec, identities=spec.identities + cls.extra))\n\n"
        "    extra = 0\n\n"
        "    def __init__(self, spec):\n        super().__init__(spec)\n        type(self).extra = 1\n"
        "        self.discriminator = type(self).warm_start_network(spec)\n        type(self).extra = 0\n",
        encoding="utf-8",
    )
    mine = replace(changed(run, models=["mine"]), plugins=(plugin,))
    with pytest.raises(BenchmarkError, match="must build the same network") as error:
        do(mine, "train", "mine")
    assert "\n" not in str(error.value)


def test_a_model_is_trained_again_when_it_gets_a_warm_start(run: Run) -> None:
    cold = replace(changed(run, training__warm_up={"steps": 0, "view_weight": 0.2}), folder=Path("switched/runs/run"))
    cold.folder.mkdir(parents=True)
    (cold.folder / "data").symlink_to(run.data.absolute())
    do(cold, "train", "vanilla")
    trained = Artifact("generator", "vanilla")
    assert is_done(cold, trained)
    warm = replace(cold, settings=run.settings)
    assert not is_done(warm, trained)
    do(warm, "train", "vanilla")
    assert trained.cell(warm).record["warm_up_steps"] == 3
