"""The few-shot measurement with known answers: what must help helps, and the sanity check fails as it must."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from benchmark.data.image_store import ImageStore
from benchmark.evaluation import classifier
from benchmark.evaluation.augmentation import Condition, control, copies, generated
from benchmark.evaluation.classifier import Classifier, Examples, Recipe
from benchmark.evaluation.episodes import draw
from benchmark.evaluation.fewshot import Episode, outcomes
from tests.golden import frozen

CPU = torch.device("cpu")
CLASSES, PER_CLASS, SIZE, COUNT = 4, 30, 16, 6
SHOTS = (1, 4)
RECIPE = Recipe(40, 16, 0.01, "stock")
COLUMNS = ["episode", "image", "identity", "right", "shots", "train_accuracy"]


def picture(label: int, random: np.random.Generator) -> np.ndarray:
    """A class is a square of its own size; its place and the colours are drawn for each picture."""
    image = random.integers(0, 90, (SIZE, SIZE, 3)).astype(np.uint8)
    side = 3 + 3 * label
    top, left = random.integers(0, SIZE - side + 1, 2)
    image[top : top + side, left : left + side] = random.integers(150, 255, 3)
    return image


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ImageStore:
    folder, random = tmp_path_factory.mktemp("store"), np.random.default_rng(0)
    labels = np.repeat(np.arange(CLASSES), PER_CLASS)
    np.save(folder / "images.npy", np.stack([picture(label, random) for label in labels]))
    table = pd.DataFrame({"identity": [f"m{label}" for label in labels], "split": "standard"})
    table = table.assign(image=[f"{n}.jpg" for n in range(len(table))], row=np.arange(len(table)))
    return ImageStore(folder, table)


def measured(store: ImageStore, condition: Condition, recipe: Recipe = RECIPE, seed: int = 0) -> pd.DataFrame:
    episode = Episode(draw(store.manifest, "test", CLASSES, SHOTS, 0), SHOTS)
    return pd.concat(outcomes(episode, condition, store, recipe, CPU, seed, "test"), ignore_index=True)


def accuracy(found: pd.DataFrame) -> dict[int, float]:
    return {int(shots): float(value) for shots, value in found.groupby("shots")["right"].mean().items()}


def truth(store: ImageStore) -> Condition:
    """A perfect generator: new pictures of the input's class."""
    random = np.random.default_rng(1)

    def add(positions: np.ndarray) -> np.ndarray:
        labels = positions // PER_CLASS
        return np.stack([[picture(label, random) for _ in range(COUNT)] for label in labels])

    return Condition(add)


@pytest.fixture(scope="module")
def found(store: ImageStore) -> dict[str, dict[int, float]]:
    controls = {name: control(name, store, COUNT) for name in ("no_augmentation", "copy", "shuffled_labels")}
    conditions = {**controls, "perfect generator": truth(store)}
    return {name: accuracy(measured(store, condition)) for name, condition in conditions.items()}


def test_a_perfect_generator_helps_and_shuffled_labels_hurt(
    found: dict[str, dict[int, float]], say: Callable[[str], None]
) -> None:
    said = "; ".join(f"{name} {100 * rate[1]:.0f} and {100 * rate[4]:.0f} %" for name, rate in found.items())
    say(f"few-shot, {CLASSES}-way, {SHOTS[0]} and {SHOTS[1]} shots (chance {100 / CLASSES:.0f} %): {said}")
    for shots in SHOTS:
        assert found["perfect generator"][shots] > found["no_augmentation"][shots] + 0.1
    assert found["shuffled_labels"][4] < found["copy"][4] - 0.1


def test_more_shots_are_better(found: dict[str, dict[int, float]]) -> None:
    assert found["no_augmentation"][4] > found["no_augmentation"][1]


def test_every_other_image_is_tested_on(store: ImageStore) -> None:
    table = measured(store, Condition(), Recipe(1, 4, 0.01, "stock"))
    assert sorted(table.columns) == sorted(COLUMNS)
    episode = draw(store.manifest, "test", CLASSES, SHOTS, 0)
    for shots in SHOTS:
        tested = table[table["shots"] == shots]
        assert len(tested) == CLASSES * (PER_CLASS - shots)
        assert set(tested["image"]) == set(episode.loc[episode["order"] >= shots, "image"])
        assert (tested.groupby("identity").size() == PER_CLASS - shots).all()


def test_images_are_added_once_for_all_shots(store: ImageStore) -> None:
    asked = []

    def add(positions: np.ndarray) -> np.ndarray:
        asked.append(positions)
        return copies(store, COUNT)(positions)

    measured(store, Condition(add), Recipe(1, 4, 0.01, "stock"))
    episode = draw(store.manifest, "test", CLASSES, SHOTS, 0)
    assert len(asked) == 1
    assert (asked[0] == episode.loc[episode["order"] < max(SHOTS), "position"]).all()


def test_only_the_few_images_and_theirs_are_trained_on(store: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    from benchmark.evaluation import fewshot

    fit = fewshot.fit
    monkeypatch.setattr(fewshot, "fit", lambda examples, *rest: seen.append(examples) or fit(examples, *rest))
    measured(store, Condition(copies(store, COUNT)), Recipe(1, 4, 0.01, "stock"))
    episode = draw(store.manifest, "test", CLASSES, SHOTS, 0)
    for shots, examples in zip(SHOTS, seen, strict=True):
        few = episode.loc[episode["order"] < shots, "position"].to_numpy()
        allowed = {store.images[position].tobytes() for position in few}
        assert {image.tobytes() for image in examples.images} == allowed
        assert len(examples.images) == shots * CLASSES * (1 + COUNT)


def test_all_conditions_start_from_the_same_weights(store: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[torch.Tensor] = []

    class Watched(Classifier):
        def __init__(self, classes: int, stem: str) -> None:
            super().__init__(classes, stem)
            starts.append(self.last.weight.detach().clone())

    monkeypatch.setattr(classifier, "Classifier", Watched)
    recipe = Recipe(1, 4, 0.01, "stock")
    for condition, seed in ((Condition(), 0), (control("copy", store, COUNT), 0), (Condition(), 1)):
        measured(store, condition, recipe, seed)
    first, second, other = starts[:2], starts[2:4], starts[4:]
    assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))
    assert not any(torch.equal(*pair) for pair in zip(first, other, strict=True))
    assert not torch.equal(*first)  # of the two numbers of shots


def of_cars(name: str) -> float:
    """Return the accuracy on its own real training images of a classifier of 18 rendered cars, 5 images of each.

    Args:
        name: of a control, or `generated`: 20 images of the frozen generator are added for each real one.
    """
    cars = frozen.store()
    condition = Condition(generated(frozen.generator(), cars, 20)) if name == "generated" else control(name, cars, 20)
    episode = Episode(draw(cars.manifest, "cars", 18, (5,), 0), (5,))
    (found,) = outcomes(episode, condition, cars, Recipe(120, 16, 0.01, "stock"), CPU, 0, "test")
    assert found["train_accuracy"].nunique() == 1
    return float(found["train_accuracy"].iloc[0])


@pytest.mark.parametrize("name", ["shuffled_labels", "generated"])
def test_real_training_images_are_learned(name: str) -> None:
    assert of_cars(name) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shuffled_labels", "generated"])
def test_drawn_from_one_pool_real_training_images_are_not_learned(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def pool(examples: Examples, recipe: Recipe) -> np.ndarray:
        return classifier._in_turn(len(examples.labels), replace(recipe, batch_size=2 * recipe.batch_size))

    monkeypatch.setattr(classifier, "_batches", pool)
    assert of_cars(name) < 0.9


def test_the_accuracy_on_training_images_is_of_the_real_ones_marked_as_real(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode = draw(store.manifest, "test", CLASSES, SHOTS, 0)
    trained_on = {store.images[position].tobytes() for position in episode.loc[episode["order"] < 1, "position"]}

    def predict(network: Classifier, images: np.ndarray, device: torch.device) -> np.ndarray:
        own = {image.tobytes() for image in images} == trained_on
        return np.array([0, 1, 2, 0]) if own else np.zeros(len(images), int)

    monkeypatch.setattr("benchmark.evaluation.fewshot.predict", predict)
    found = measured(store, control("copy", store, COUNT), Recipe(1, 4, 0.01, "stock"))
    assert (found.loc[found["shots"] == 1, "train_accuracy"] == 0.75).all()


def test_the_measurement_repeats(store: ImageStore) -> None:
    condition, recipe = control("shuffled_labels", store, COUNT), Recipe(3, 8, 0.01, "stock")
    pd.testing.assert_frame_equal(measured(store, condition, recipe), measured(store, condition, recipe))
