"""The ranks of the KNN against a plain loop over sorted distances."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmark.evaluation import knn
from benchmark.evaluation.knn import nearest, several_ranks

Array = NDArray[np.float32]
Labels = NDArray[np.int64]


def ranks(
    train: Array, labels: Labels, queries: Array, own: Labels, neighbours: int, metric: str = "euclidean"
) -> Labels:
    return several_ranks(train, labels, queries, own, [neighbours], metric)[:, 0]


def distance(a: Array, b: Array, metric: str) -> float:
    a, b = a.astype(float), b.astype(float)
    if metric == "cosine":
        return float(1 - (a @ b) / (np.sqrt(a @ a) * np.sqrt(b @ b)))
    return float(np.sqrt(((a - b) ** 2).sum()))


def slow_rank(train: Array, labels: Labels, query: Array, own: int, neighbours: int, metric: str) -> int:
    """The rank by the definition; images as far away as the K-th share the votes that are left."""
    distances = [distance(row, query, metric) for row in train]
    edge = sorted(distances)[:neighbours][-1]
    left = Fraction(min(neighbours, len(train)) - sum(d < edge for d in distances), distances.count(edge))
    votes: Counter[int] = Counter()
    for label, far in zip(labels, distances, strict=True):
        votes[int(label)] += 1 if far < edge else left if far == edge else 0  # type: ignore[assignment]
    nearest = {c: min(d for d, label in zip(distances, labels, strict=True) if label == c) for c in set(labels)}
    place = {c: (-votes[c], nearest[c]) for c in nearest}
    return sum(place[c] <= place[own] for c in place if c != own)


def compare(train: Array, labels: Labels, queries: Array, own: Labels, neighbours: int, metric: str) -> None:
    found = ranks(train, labels, queries, own, neighbours, metric)
    for n, query in enumerate(queries):
        assert found[n] == slow_rank(train, labels, query, int(own[n]), neighbours, metric)


def blurred(classes: int, per_class: int, seed: int) -> tuple[Array, Labels, Array, Labels]:
    random = np.random.default_rng(seed)
    centres = random.normal(size=(classes, 6)).astype(np.float32)
    labels = random.permutation(np.repeat(np.arange(classes), per_class))
    own = random.integers(classes, size=40)
    train = centres[labels] + random.normal(size=(len(labels), 6)).astype(np.float32)
    return train, labels, (centres[own] + random.normal(size=(40, 6))).astype(np.float32), own


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("neighbours", [1, 5, 10])
@pytest.mark.parametrize("seed", [0, 1])
def test_ranks(neighbours: int, metric: str, seed: int) -> None:
    compare(*blurred(9, 7, seed), neighbours, metric)


@pytest.mark.parametrize("neighbours", [1, 5, 10])
def test_ranks_with_duplicates_and_ties(neighbours: int) -> None:
    random = np.random.default_rng(2)
    train = random.integers(0, 9, size=(60, 2)).astype(np.float32)  # 81 places for 60 images
    queries = random.integers(0, 9, size=(300, 2)).astype(np.float32)
    labels = random.permutation(np.arange(60) % 7)
    compare(train, labels, queries, random.integers(7, size=300), neighbours, "euclidean")


def test_fewer_images_than_neighbours() -> None:
    train, labels, queries, own = blurred(3, 1, 0)
    compare(train, labels, queries, own, 10, "euclidean")


def test_classes_without_a_vote_are_ordered_by_their_nearest_member() -> None:
    train = np.array([[0.0], [0.1], [5.0], [9.0], [7.0], [20.0]], np.float32)
    labels = np.array([0, 0, 3, 1, 2, 1])
    own = np.array([0, 3, 2, 1])
    assert ranks(train, labels, np.zeros((4, 1), np.float32), own, 2).tolist() == [0, 1, 2, 3]


def test_votes_count_more_than_the_nearest_member() -> None:
    train = np.array([[0.1], [0.2], [0.3]], np.float32)
    own = np.array([0, 1])
    assert ranks(train, np.array([1, 0, 0]), np.zeros((2, 1), np.float32), own, 3).tolist() == [0, 1]
    assert ranks(train, np.array([1, 0, 0]), np.zeros((2, 1), np.float32), own, 1).tolist() == [1, 0]


def test_a_full_tie_is_held_against_the_true_class() -> None:
    train = np.array([[1.0], [-1.0], [5.0]], np.float32)
    found = ranks(train, np.array([0, 1, 2]), np.zeros((3, 1), np.float32), np.array([0, 1, 2]), 2)
    assert found.tolist() == [1, 1, 2]


@pytest.mark.parametrize("neighbours", [1, 5])
def test_names_of_the_classes_do_not_matter(neighbours: int) -> None:
    train, labels, queries, own = blurred(9, 7, 3)
    renamed = np.random.default_rng(0).permutation(9)
    first = ranks(train, labels, queries, own, neighbours)
    assert np.array_equal(first, ranks(train, renamed[labels], queries, renamed[own], neighbours))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("neighbours", [1, 2, 5])
def test_equal_pictures_of_two_classes_are_a_tie(neighbours: int, metric: str) -> None:
    """As wide as real features, so that the last digits of their sums may differ from column to column."""
    random = np.random.default_rng(1)
    train = random.random((60, 512), np.float32)
    train[30:] = train[:30]
    labels, own = np.arange(60) // 5, np.arange(60) // 5  # each class has an equal one, six further
    found = ranks(train, labels, train, own, neighbours, metric)
    renamed = random.permutation(12)
    assert np.array_equal(found, ranks(train, renamed[labels], train, renamed[own], neighbours, metric))
    assert (found >= 1).all()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_several_numbers_of_neighbours_at_once(metric: str) -> None:
    train, labels, queries, own = blurred(9, 3, 5)
    together = several_ranks(train, labels, queries, own, [10, 1, 99], metric)  # 27 images
    assert together.shape == (40, 3)
    for n, neighbours in enumerate([10, 1, 27]):
        assert np.array_equal(together[:, n], ranks(train, labels, queries, own, neighbours, metric))


def test_queries_ranked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    data = blurred(9, 7, 6)
    whole = several_ranks(*data, [1, 5])
    monkeypatch.setattr(knn, "MEMORY", 63 * 8 * 7 / 2**20)  # seven of the forty queries
    assert np.array_equal(several_ranks(*data, [1, 5]), whole)


def test_nearest_are_the_smallest_in_order() -> None:
    distances = np.random.default_rng(0).random((20, 30), np.float32)
    assert np.array_equal(nearest(distances, 7), np.argsort(distances, 1)[:, :7])
    assert np.array_equal(nearest(distances, 30), np.argsort(distances, 1))
