"""A KNN classifier that ranks all classes without ties."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors


def ranks(
    train: NDArray[np.float32],
    train_labels: NDArray[np.int64],
    queries: NDArray[np.float32],
    query_labels: NDArray[np.int64],
    neighbours: int,
    metric: str = "euclidean",
) -> NDArray[np.int64]:
    """Return for each query the rank of its true class, 0 being the first.

    Classes are ordered by their votes among the nearest neighbours, then by the distance of their nearest member. With
    scikit-learn's own scores most classes would be tied at no vote, and top-5 would depend on the order of the labels.
    A class equal to the true one in both stands before it.

    Args:
        train: features of shape (N, F).
        train_labels: classes of shape (N,), 0 .. C - 1, each of which occurs.
        queries: features of shape (Q, F).
        query_labels: true classes of shape (Q,).
        neighbours: K.
        metric: `euclidean` or `cosine`.

    Returns:
        Ranks of shape (Q,), 0 .. C - 1.
    """
    search = NearestNeighbors(n_neighbors=min(neighbours, len(train)), metric=metric, algorithm="brute").fit(train)
    nearest = train_labels[search.kneighbors(queries, return_distance=False)]  # (Q, K)
    classes = int(train_labels.max()) + 1
    votes = (nearest[:, :, None] == np.arange(classes)).sum(1)  # (Q, C)
    distance = nearest_member(train, train_labels, queries, metric)  # (Q, C)
    every = np.arange(len(queries))
    own_votes, own_distance = votes[every, query_labels, None], distance[every, query_labels, None]
    before = (votes > own_votes) | ((votes == own_votes) & (distance <= own_distance))
    rank: NDArray[np.int64] = before.sum(1) - 1  # the true class is equal to itself
    return rank


def nearest_member(
    train: NDArray[np.float32], train_labels: NDArray[np.int64], queries: NDArray[np.float32], metric: str
) -> NDArray[np.float32]:
    """Return the distance of each query to the nearest member of each class, of shape (Q, C)."""
    order = np.argsort(train_labels, kind="stable")
    starts = np.searchsorted(train_labels[order], np.arange(train_labels.max() + 1))
    distances = pairwise_distances(queries, train[order], metric=metric)
    nearest: NDArray[np.float32] = np.minimum.reduceat(distances, starts, axis=1)
    return nearest
