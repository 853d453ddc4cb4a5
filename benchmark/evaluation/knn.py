"""A KNN classifier that ranks all classes without ties."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances_chunked

Features = NDArray[np.float32]
Labels = NDArray[np.int64]

MEMORY = 512  # MiB of distances held at once


def several_ranks(
    train: Features,
    train_labels: Labels,
    queries: Features,
    query_labels: Labels,
    neighbours: Sequence[int],
    metric: str = "euclidean",
) -> Labels:
    """Return for each query and each number of neighbours the rank of the true class, 0 being the first.

    Classes are ordered by their votes among the nearest neighbours, then by the distance of their nearest member. With
    scikit-learn's own scores most classes would be tied at no vote, and top-5 would depend on the order of the labels.
    Images as far away as the K-th nearest share the votes that are left: which of them comes first decides nothing. A
    class equal to the true one in both stands before it.

    Args:
        train: features of shape (N, F).
        train_labels: classes of shape (N,), 0 .. C - 1, each of which occurs.
        queries: features of shape (Q, F).
        query_labels: true classes of shape (Q,).
        neighbours: numbers K of neighbours; one above N counts as N.
        metric: `euclidean` or `cosine`.

    Returns:
        Ranks of shape (Q, len(neighbours)), 0 .. C - 1.
    """
    order = np.argsort(train_labels, kind="stable")
    labels = train_labels[order]
    known: dict[bytes, int] = {}
    first = np.array([known.setdefault(row.tobytes(), n) for n, row in enumerate(train[order])])

    def ranked(distances: Features, start: int) -> Labels:
        if len(known) < len(first):  # equal features are equally far away, whatever the last digit of their sums
            distances = distances[:, first]
        own = query_labels[start : start + len(distances)]
        found = nearest(distances, min(max(neighbours), len(labels)))
        members = nearest_member(distances, labels)
        return np.stack([_rank(_votes(distances, labels, found[:, :k]), members, own) for k in neighbours], 1)

    parts = pairwise_distances_chunked(queries, train[order], reduce_func=ranked, metric=metric, working_memory=MEMORY)
    return np.concatenate(list(parts))


def nearest(distances: Features, count: int) -> Labels:
    """Return the columns of the `count` smallest distances of each row, the smallest first, of shape (Q, count)."""
    chosen = np.argpartition(distances, count - 1, axis=1)[:, :count]
    order = np.argsort(np.take_along_axis(distances, chosen, 1), axis=1, kind="stable")
    return np.take_along_axis(chosen, order, 1)


def nearest_member(distances: Features, labels: Labels) -> Features:
    """Return the distance of each query to the nearest member of each class, of shape (Q, C).

    Args:
        distances: to each training image, of shape (Q, N).
        labels: sorted classes of shape (N,), 0 .. C - 1, each of which occurs.
    """
    members: Features = np.minimum.reduceat(distances, np.searchsorted(labels, np.arange(labels[-1] + 1)), axis=1)
    return members


def _votes(distances: Features, labels: Labels, found: Labels) -> Labels:
    """Return the votes of each class among the K nearest images `found`, (Q, K), of shape (Q, C).

    Where further images are as far away as the K-th, all of these share its votes; they are counted in that many parts.
    """
    votes: Labels = (labels[found][:, :, None] == np.arange(labels[-1] + 1)).sum(1)
    chosen = np.take_along_axis(distances, found, 1)
    edge = chosen.max(1, keepdims=True)
    left, level = (chosen == edge).sum(1), (distances == edge).sum(1)
    for query in np.flatnonzero(level > left):
        nearer, equal = distances[query] < edge[query], distances[query] == edge[query]
        votes[query] = level[query] * np.bincount(labels[nearer], minlength=votes.shape[1])
        votes[query] += left[query] * np.bincount(labels[equal], minlength=votes.shape[1])
    return votes


def _rank(votes: Labels, members: Features, own: Labels) -> Labels:
    """Return the ranks of the classes `own`, from the votes of all classes and their nearest members, (Q, C)."""
    every = np.arange(len(own))
    own_votes, own_member = votes[every, own, None], members[every, own, None]
    before = (votes > own_votes) | ((votes == own_votes) & (members <= own_member))
    rank: Labels = before.sum(1) - 1  # the true class is equal to itself
    return rank
