"""A table of changes and their consequences: which cells are made again, and the reason that is printed."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

from benchmark.config.settings import Data, Profile, Rendered
from benchmark.data.roots import data_root
from benchmark.run.artifacts import Artifact
from benchmark.run.cache import Decision, check, is_done
from benchmark.run.cells import RECORD
from benchmark.run.workspace import Run
from benchmark.stages.pipeline import run_everything
from tests.stages import changes, helpers
from tests.stages.changes import Change, altered, cut, data, gone, plugin, setting, source, status, unchanged, version
from tests.stages.small import copy, small_run, with_pictures

Cells = frozenset[str]


def cells(*names: str) -> Cells:
    return frozenset(names)


SHOWN = ("copy", "mean_image", "outside", "real", "tiny")
STORE = cells("data/store")
SEES_IDENTITY, SEES_VIEW = cells("extractors/identity"), cells("extractors/view")
TRAINED = cells("models/tiny/seed0")
OUTPUTS = cells(*(f"identity/{name}/seed0/outputs" for name in SHOWN))
SAMPLES = cells(*(f"identity/{name}/seed0/samples" for name in SHOWN if name != "real"))
QUALITY = cells(*(f"identity/{name}/seed0/quality" for name in SHOWN))
OUTCOMES = cells(*(f"identity/{name}/seed0/random/nc2" for name in SHOWN))
EPISODES = cells("fewshot/episodes")
RECOGNISED = cells("fewshot/no_augmentation/seed0", "fewshot/tiny/seed0")

EXTRACTORS = SEES_IDENTITY | SEES_VIEW
GENERATED = OUTPUTS | SAMPLES | RECOGNISED  # what images are generated for
IDENTITY, FEWSHOT = OUTPUTS | SAMPLES | QUALITY | OUTCOMES, EPISODES | RECOGNISED
REST = EXTRACTORS | TRAINED | IDENTITY | FEWSHOT  # all but the store and the pictures made elsewhere
DATA = cells(
    *(cell for cell in REST if "/outside/" not in cell)
)  # such pictures do not fit other data: left as they are
EXTERNAL = cells("external/outside")
OF_MODEL = cells(*(cell for cell in REST - OUTCOMES - QUALITY if "/tiny/" in cell))  # made by its code
SEED_1 = (
    *(cell.replace("seed0", "seed1") for cell in REST if "/tiny/" in cell),
    "fewshot/no_augmentation/seed1",
)

NEW = "nothing there yet"
NOTHING: dict[Cells, str] = {}

# what changes: the change, and the cells that it makes again, each with the words that say why; beside them only those
# are made again that are made from one of them whose content is no longer the same
CHANGES: dict[str, tuple[Change, dict[Cells, str]]] = {
    "nothing": (lambda run, patch: run, NOTHING),
    # settings
    "seeds": (setting("seeds", 2), {cells(*SEED_1): NEW}),
    "threads": (setting("threads", 2), {REST - EPISODES: "threads changed from 1 to 2"}),
    "data.root": (data(changes.moved), NOTHING),
    "data.annotations": (data(changes.moved), NOTHING),
    "data.image_size": (
        setting("data.image_size", 20),
        {STORE: "data.image_size changed from 16 to 20", DATA: "data changed"},
    ),
    "data.margin": (setting("data.margin", 0.2), {STORE: "data.margin changed from 0.1 to 0.2", DATA: "data changed"}),
    "data.views": (setting("data.views", ["right", "left"]), {DATA: "data changed"}),
    "data.minimum_images": (setting("data.minimum_images", 11), {STORE | DATA: "data changed"}),
    "data.minimum_images, to no effect": (setting("data.minimum_images", 9), NOTHING),
    "data.auxiliary": (setting("data.auxiliary", 3), {DATA: "data changed"}),
    "data.standard": (setting("data.standard", 4), {DATA: "data changed"}),
    "data.order": (setting("data.order", "random"), {DATA: "data changed"}),
    "data.validation": (setting("data.validation", 0.0), {DATA: "data changed"}),
    "data.validation, to no effect": (setting("data.validation", 0.2), NOTHING),
    "data.azimuth_bins": (setting("data.azimuth_bins", {"left": (335, 30)}), NOTHING),  # there is no azimuth
    "data.camera_boxes": (setting("data.camera_boxes", {"051": (0, 0, 9, 9)}), NOTHING),  # of another data set,
    "data.rendered": (setting("data.rendered", {"seed": 1}), NOTHING),  # as these are,
    "data.side_confidence": (setting("data.side_confidence", 0.9), NOTHING),  # and this
    "data.other_views": (setting("data.other_views", "leave_out"), NOTHING),
    "training.images": (setting("training.images", 48), {TRAINED: "training.images changed from 32 to 48"}),
    "training.batch_size": (setting("training.batch_size", 8), {TRAINED: "training.batch_size changed from 16 to 8"}),
    "training.width": (setting("training.width", 0.25), {TRAINED: "training.width changed from 0.125 to 0.25"}),
    "training.learning_rate_factor": (
        setting("training.learning_rate_factor", 1.0),
        {TRAINED: "training.learning_rate_factor changed from 10.0 to 1.0"},
    ),
    "training.generator_steps": (
        setting("training.generator_steps", 4),
        {TRAINED: "training.generator_steps changed from 1 to 4"},
    ),
    "training.attribute_weight": (
        setting("training.attribute_weight", 1.0),
        {TRAINED: "training.attribute_weight changed from 5.0 to 1.0"},
    ),
    "training.noise": (setting("training.noise", 0.5), {TRAINED: "training.noise changed from 1.0 to 0.5"}),
    "training.warm_up": (setting("training.warm_up", {"steps": 9}), NOTHING),  # no discriminator; see test_warm_start
    "training.initialisation": (
        setting("training.initialisation", "published"),
        {TRAINED: "training.initialisation changed from fan_in to published"},
    ),
    "training.average": (setting("training.average", 0.9), {TRAINED: "training.average changed from 0.99 to 0.9"}),
    "training.refresh_batches": (
        setting("training.refresh_batches", 6),
        {TRAINED: "training.refresh_batches changed from 5 to 6"},
    ),
    "training.precision": (
        setting("training.precision", "bf16-mixed"),
        {TRAINED: "training.precision changed from 32-true to bf16-mixed"},
    ),
    "training.compile": (changes.compiled, {TRAINED: "training.compile changed from False to True"}),
    "training.log_every": (setting("training.log_every", 2), {TRAINED: "training.log_every changed from 1 to 2"}),
    "training.checkpoint_minutes": (setting("training.checkpoint_minutes", 1.0), NOTHING),
    "training.tensorboard": (setting("training.tensorboard", True), NOTHING),
    "training.samples_every": (setting("training.samples_every", 1), NOTHING),
    "extractor.epochs": (
        setting("extractor.epochs", 2),
        {SEES_IDENTITY: "extractor.epochs changed from 1 to 2"},
    ),
    "extractor.view_epochs": (
        setting("extractor.view_epochs", 2),
        {SEES_VIEW: "extractor.view_epochs changed from 1 to 2"},
    ),
    "extractor.batch_size": (
        setting("extractor.batch_size", 8),
        {EXTRACTORS: "extractor.batch_size changed from 16 to 8"},
    ),
    "extractor.learning_rate": (
        setting("extractor.learning_rate", 0.01),
        {EXTRACTORS: "extractor.learning_rate changed from 0.05 to 0.01"},
    ),
    "extractor.held_out": (
        setting("extractor.held_out", 0.5),
        {EXTRACTORS: "extractor.held_out changed from 0.1 to 0.5"},
    ),
    "extractor.stem": (
        setting("extractor.stem", "small"),
        {
            EXTRACTORS | RECOGNISED: "extractor.stem changed from stock to small",
        },
    ),
    "evaluation.nc": (setting("evaluation.nc", [3]), {cells(*(f"identity/{n}/seed0/random/nc3" for n in SHOWN)): NEW}),
    "evaluation.draws": (setting("evaluation.draws", 2), {OUTCOMES: "evaluation.draws changed from 1 to 2"}),
    "evaluation.neighbours": (
        setting("evaluation.neighbours", 1),
        {OUTCOMES: "evaluation.neighbours changed from 5 to 1"},
    ),
    "evaluation.test_share": (
        setting("evaluation.test_share", 0.5),
        {OUTCOMES: "evaluation.test_share changed from 0.2 to 0.5"},
    ),
    "evaluation.batch_size": (
        setting("evaluation.batch_size", 9),
        {OUTPUTS: "evaluation.batch_size changed from 256 to 9"},
    ),
    "fewshot.ways": (setting("fewshot.ways", 3), {EPISODES: "fewshot.ways changed from 2 to 3"}),
    "fewshot.shots": (setting("fewshot.shots", [2, 3]), {FEWSHOT: "fewshot.shots changed from [2] to [2, 3]"}),
    "fewshot.shots, none": (setting("fewshot.shots", []), NOTHING),
    "fewshot.episodes": (setting("fewshot.episodes", 2), {EPISODES: "fewshot.episodes changed from 1 to 2"}),
    "fewshot.generated": (setting("fewshot.generated", 3), {RECOGNISED: "fewshot.generated changed from 2 to 3"}),
    "fewshot.steps": (setting("fewshot.steps", 2), {RECOGNISED: "fewshot.steps changed from 1 to 2"}),
    "fewshot.batch_size": (setting("fewshot.batch_size", 3), {RECOGNISED: "fewshot.batch_size changed from 4 to 3"}),
    "fewshot.learning_rate": (
        setting("fewshot.learning_rate", 0.1),
        {RECOGNISED: "fewshot.learning_rate changed from 0.01 to 0.1"},
    ),
    "fewshot.controls": (setting("fewshot.controls", ["copy"]), {cells("fewshot/copy/seed0"): NEW}),
    "fewshot.skip": (setting("fewshot.skip", ["tiny"]), NOTHING),
    # data
    "a picture": (data(changes.repainted), {STORE | DATA: "data changed"}),
    "the time of a picture": (data(changes.touched), {STORE: "data changed"}),
    "a picture less": (data(changes.removed), {STORE | DATA: "data changed"}),
    "a label": (data(changes.seen_from_the_right), {STORE | DATA: "data changed"}),
    "the order of the labels": (data(changes.listed_backwards), NOTHING),
    "a picture made elsewhere": (changes.pictures(changes.white), {EXTERNAL: "pictures changed"}),
    "no picture made elsewhere": (changes.pictures(lambda content: None), NOTHING),
    # sources
    "the model": (plugin("tanh(self.network(image))", "sin(self.network(image))"), {OF_MODEL: "tiny.py changed"}),
    "its comments": (plugin("The least that", "All that"), NOTHING),
    "a layer it imports": (source("models/layers/blocks.py"), {OF_MODEL: "models/layers/blocks.py changed"}),
    "a layer it does not import": (source("models/layers/deformable.py"), NOTHING),
    "another model": (source("models/ours.py"), NOTHING),
    "the training": (source("benchmark/training/loop.py"), {TRAINED: "benchmark/training/loop.py changed"}),
    "the batches": (source("benchmark/training/sampling.py"), {TRAINED: "benchmark/training/sampling.py changed"}),
    "what pixels are as numbers": (
        source("benchmark/data/pixels.py"),
        {REST - EPISODES: "benchmark/data/pixels.py changed"},
    ),
    "the generation": (
        source("benchmark/evaluation/generate.py"),
        {GENERATED | QUALITY | OUTCOMES: "benchmark/evaluation/generate.py changed"},
    ),
    "the renderer": (source("benchmark/data/rendered.py"), NOTHING),  # no row of this data set needs it
    "the KNN": (source("benchmark/evaluation/knn.py"), {OUTCOMES: "benchmark/evaluation/knn.py changed"}),
    "sharpness and KID": (
        source("benchmark/evaluation/quality.py"),
        {QUALITY: "benchmark/evaluation/quality.py changed"},
    ),
    "the draws": (source("benchmark/evaluation/draws.py"), {OUTCOMES: "benchmark/evaluation/draws.py changed"}),
    "what is a copy": (
        source("benchmark/evaluation/copying.py"),
        {OUTPUTS | OUTCOMES: "benchmark/evaluation/copying.py changed"},
    ),
    "the few-shot classifier": (
        source("benchmark/evaluation/classifier.py"),
        {RECOGNISED: "benchmark/evaluation/classifier.py changed"},
    ),
    "the episodes": (source("benchmark/evaluation/episodes.py"), {FEWSHOT: "benchmark/evaluation/episodes.py changed"}),
    "the training of extractors": (
        source("benchmark/evaluation/extractor.py"),
        {EXTRACTORS: "benchmark/evaluation/extractor.py changed"},
    ),
    "ResNet18": (
        source("benchmark/evaluation/resnet.py"),
        {EXTRACTORS | OUTPUTS | QUALITY | OUTCOMES | RECOGNISED: "benchmark/evaluation/resnet.py changed"},
    ),
    "the loading of generators": (
        source("benchmark/making/trained.py"),
        {GENERATED & OF_MODEL: "benchmark/making/trained.py changed"},
    ),
    "the decoding of pictures": (
        source("benchmark/data/pictures.py"),
        {STORE: "benchmark/data/pictures.py changed"},
    ),
    "the check of settings": (source("benchmark/config/settings.py"), NOTHING),
    "the choice of samples": (
        source("benchmark/evaluation/samples.py"),
        {SAMPLES: "benchmark/evaluation/samples.py changed"},
    ),
    "a table": (source("benchmark/reporting/tables.py"), NOTHING),
    "the split": (source("benchmark/data/splitting.py"), NOTHING),  # done each time; its result counts
    "the command line": (source("benchmark/cli.py"), NOTHING),
    # versions
    "torch": (version("torch"), {REST - EPISODES: "versions.torch changed from"}),
    "numpy": (version("numpy"), {STORE | REST: "versions.numpy changed from"}),
    "pillow": (version("pillow"), {STORE: "versions.pillow changed from"}),
    # what was made
    "a record is damaged": (cut("models/tiny/seed0/run.json"), {TRAINED: "run.json is damaged"}),
    "a record is gone": (gone("extractors/view/run.json"), {SEES_VIEW: NEW}),
    "a training run was killed": (status("models/tiny/seed0", "running"), {TRAINED: "was running"}),
    "a measurement failed": (status("fewshot/tiny/seed0", "failed"), {cells("fewshot/tiny/seed0"): "was failed"}),
    "a file is written again, the same": (unchanged("models/tiny/seed0/generator.safetensors"), NOTHING),
    "weights are altered": (
        altered("models/tiny/seed0/generator.safetensors"),
        {TRAINED: "generator.safetensors was altered"},
    ),
    "weights are gone": (
        gone("models/tiny/seed0/generator.safetensors"),
        {TRAINED: "generator.safetensors is missing"},
    ),
    "the log is altered": (altered("models/tiny/seed0/log.csv"), {TRAINED: "log.csv was altered"}),
    "weights of an extractor": (
        altered("extractors/identity/resnet18.safetensors"),
        {SEES_IDENTITY: "resnet18.safetensors was altered"},
    ),
    "pictures made elsewhere": (altered("external/outside/pictures.npy"), NOTHING),  # they cannot be made here
    "pixels of the store": (altered("data/store/images.npy"), {STORE: "images.npy was altered"}),
    "half of the store": (cut("data/store/images.npy"), {STORE: "images.npy was altered"}),
    "the hash of the store": (altered("data/store/images.json"), {STORE: "images.json was altered"}),
    "the split of the data": (altered("data/split.parquet"), NOTHING),  # written each time
    "features": (
        altered("identity/tiny/seed0/outputs/features.npy"),
        {cells("identity/tiny/seed0/outputs"): "features.npy was altered"},
    ),
    "what the networks saw": (
        altered("identity/tiny/seed0/outputs/outputs.safetensors"),
        {cells("identity/tiny/seed0/outputs"): "outputs.safetensors was altered"},
    ),
    "samples": (
        gone("identity/copy/seed0/samples/samples.png"),
        {cells("identity/copy/seed0/samples"): "samples.png is missing"},
    ),
    "outcomes": (
        altered("identity/real/seed0/random/nc2/outcomes.parquet"),
        {cells("identity/real/seed0/random/nc2"): "outcomes.parquet was altered"},
    ),
    "outcomes of few-shot": (
        gone("fewshot/tiny/seed0/outcomes.parquet"),
        {cells("fewshot/tiny/seed0"): "outcomes.parquet is missing"},
    ),
    "drawn episodes": (altered("fewshot/episodes/episodes.parquet"), {EPISODES: "episodes.parquet was altered"}),
    "a whole training": (gone("models/tiny"), {TRAINED: NEW}),
    "every measurement": (gone("identity"), {IDENTITY: NEW}),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run of which every cell is made; its folder is the working directory."""
    with small_run(tmp_path_factory.mktemp("staleness")) as run:
        with with_pictures(run) as bringing:
            run_everything(bringing)
        yield run


@pytest.fixture
def copied(finished: Run, tmp_path: Path) -> Run:
    return copy(finished, tmp_path / "run")


def made_again(run: Run, old: Run) -> Cells:
    """Return the cells whose record is no longer that of the old run."""
    records = {path.relative_to(run.folder) for path in run.folder.rglob(RECORD)}
    kept = {
        path for path in records if (old.folder / path).exists() and (old.folder / path).samefile(run.folder / path)
    }
    return cells(*(path.parent.as_posix() for path in records - kept))


def reasons(said: str) -> dict[str, str]:
    """Return the printed reason of every cell that was made, or taken from what was replaced earlier."""
    return dict(re.findall(r"^(\S+): (?:make|resume) \((.*)\)$", said, re.MULTILINE))


def input_of(reason: str) -> str:
    """Return what a cell is made from, if it is made again because that has other content."""
    return reason.removesuffix(" changed") if reason.endswith(" changed") else ""


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_change_makes_again(
    name: str, finished: Run, copied: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change, consequences = CHANGES[name]
    wanted = change(copied, monkeypatch)
    capsys.readouterr()
    run_everything(wanted)
    said = reasons(capsys.readouterr().out)
    expected = {cell: words for group, words in consequences.items() for cell in group}
    assert made_again(copied, finished) == said.keys()
    followed = {cell for cell, reason in said.items() if cell not in expected and input_of(reason) in said}
    assert said.keys() - followed == expected.keys()
    assert not {cell: said[cell] for cell in expected if expected[cell] not in said[cell]}


def test_the_table_has_every_setting() -> None:
    sections = {key: field.annotation for key, field in Profile.model_fields.items()}
    every = {
        f"{section}.{key}"
        for section, kind in sections.items()
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for key in kind.model_fields
    }
    assert every - CHANGES.keys() == {"data.dataset"}  # the next test
    assert sections.keys() - CHANGES.keys() - {key.partition(".")[0] for key in every} == {"name", "models"}


def test_another_data_set_of_the_same_pictures_is_drawn_from_again(finished: Run) -> None:
    other = helpers.changed(finished, data__dataset="compcars")
    made = Decision("make", "data.dataset changed from table to compcars")
    assert check(other, Artifact("outcomes", "copy", split="random", nc=2)) == made
    assert check(other, Artifact("episodes")) == made
    assert is_done(other, Artifact("outputs", "tiny"))


def test_other_rendered_cars_are_other_data(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = Data()
    roots = [data_root(rendered), data_root(rendered.model_copy(update={"rendered": Rendered(seed=1)}))]
    roots.append(data_root(source("rendered_cars/body.py")(finished, monkeypatch) and rendered))
    assert len(set(roots)) == 3


def test_another_device_makes_all_that_is_computed_on_it_again(finished: Run) -> None:
    elsewhere = replace(finished, device="cuda")
    found = [Artifact("identity_judge"), Artifact("generator", "tiny"), Artifact("recognition", "no_augmentation")]
    assert {check(elsewhere, each) for each in found} == {Decision("make", "device changed from cpu to cuda")}
    assert check(elsewhere, Artifact("outputs", "tiny")).reason.endswith(": device changed from cpu to cuda")
    assert is_done(elsewhere, Artifact("episodes"))


def test_what_follows_is_measured_again_only_if_the_model_has_become_another(
    copied: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    other = helpers.changed(copied, training__images=48)
    run_everything(other)
    said = reasons(capsys.readouterr().out)
    assert {said["identity/tiny/seed0/outputs"], said["fewshot/tiny/seed0"]} == {"models/tiny/seed0 changed"}
    assert said["identity/tiny/seed0/random/nc2"] == "identity/tiny/seed0/outputs changed"
    run_everything(copied)  # settings that are set back find everything again
    assert not reasons(capsys.readouterr().out)


def test_another_run_takes_what_does_not_depend_on_its_settings(
    copied: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = helpers.changed(copied, fewshot__steps=2, data__root="./pictures").settings
    other = replace(copied, folder=copied.folder.with_name("other"), settings=settings)
    run_everything(other)
    said = capsys.readouterr().out
    assert reasons(said).keys() == RECOGNISED
    taken = set(re.findall(r"^(\S+): taken from \S+$", said, re.MULTILINE))
    assert taken == (STORE | DATA) - RECOGNISED
    for cell in taken:
        records = [(run.folder / cell / RECORD).read_bytes() for run in (copied, other)]
        assert records[0] == records[1]
