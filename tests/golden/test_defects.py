"""Defects planted in the suite: each makes the check of `test_golden` fail, and the figure that finds it is named."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.evaluation import augmentation, draws, fewshot, generate, identity, knn, outputs, rates, statistics
from benchmark.evaluation.classifier import Classifier
from benchmark.evaluation.draws import Draw
from benchmark.evaluation.fewshot import Episode
from models import cr_gan
from models.identity_view_gan import IdentityViewGAN
from models.layers import connection
from models.two_step import Disentangler
from tests.golden.check import CLASSIFIER, COMMAND, check_fewshot, check_identity, check_losses

Right = Any  # what stands in the suite; a defect makes the wrong one out of it


def top1_and_top5_swapped(right: Right) -> Right:
    return lambda *given: right(*given).rename(columns={"top1": "top5", "top5": "top1"})


def rank_off_by_one(right: Right) -> Right:
    return lambda *given: right(*given) + 1


def fitted_on_the_test_part(right: Right) -> Right:
    return lambda *given: Draw(right(*given).test, right(*given).test)


def groups_ignored(right: Right) -> Right:
    return lambda *given: right(*given[:-1])


def one_neighbour(right: Right) -> Right:
    return lambda *given: right(*given[:4], [1], *given[5:])


def features_before_the_last_activation(right: Right) -> Right:
    return lambda network, images: network.trunk(images).mean((2, 3)).detach()


def images_from_zero_to_one(right: Right) -> Right:
    return lambda images: (right(images) + 1) / 2


def copies_are_no_copies(right: Right) -> Right:
    return lambda to_input, to_target, *views: right(to_target, to_input, *views)


def narrower_interval(right: Right) -> Right:
    return 0.05, 0.95


def view_code_ignored(right: Right) -> Right:
    return lambda self, image, code, noise: right(self, image, torch.full_like(code, 1 / code.shape[1]), noise)


def radius_too_large(right: Right) -> Right:
    return lambda side, radius: right(side, radius + 1)


def radius_too_small(right: Right) -> Right:
    return lambda side, radius: right(side, radius - 1)


def labels_shifted(right: Right) -> Right:
    return lambda real, labels, *rest: right(real, np.roll(labels, 1), *rest)


def all_marked_as_real(right: Right) -> Right:
    return lambda self, images, real: right(self, images, torch.ones_like(real))


def training_images_recognised(right: Right) -> Right:
    return Episode.training


def codes_of_one_view(right: Right) -> Right:
    return lambda count, views: right(count, views)[:1].expand(count, views)


def lambda_left_out(right: Right) -> Right:
    return property(lambda self: 1.0)


def learning_rate_a_percent_higher(right: Right) -> Right:
    return 1.01 * right


def no_gradient_penalty(right: Right) -> Right:
    return lambda *given: 0 * right(*given)


def three_steps_of_the_adversary(right: Right) -> Right:
    return 3


DEFECTS: list[tuple[Callable[[], None], Callable[[Right], Right], object, str, str]] = [
    (check_identity, top1_and_top5_swapped, rates, "recognised", "real, random split, top5"),
    (check_identity, rank_off_by_one, knn, "_rank", "real, random split, top1"),
    (check_identity, fitted_on_the_test_part, draws, "draw", "real, random split, top1"),
    (check_identity, groups_ignored, draws, "draw", "real, grouped split, top1"),
    (check_identity, one_neighbour, identity, "several_ranks", "real, random split, top1"),
    (check_identity, features_before_the_last_activation, outputs, "pooled_features", "real, random split, top1"),
    (check_identity, images_from_zero_to_one, generate, "to_float", "real, random split, view"),
    (check_identity, copies_are_no_copies, identity, "copied", "generated, random split, copy_rate_pixels"),
    (check_identity, narrower_interval, statistics, "TAILS", "real, random split, top1"),
    (check_identity, view_code_ignored, IdentityViewGAN, "generate", "generated, random split, view_cross"),
    (check_identity, radius_too_large, connection, "neighbourhood", "generated, random split, top1"),
    (check_fewshot, labels_shifted, fewshot, "examples", "no augmentation, 5-way 5-shot"),
    (partial(check_losses, CLASSIFIER), all_marked_as_real, Classifier, "forward", "after training, cross entropy"),
    (check_fewshot, training_images_recognised, Episode, "test", "no augmentation, 5-way 5-shot"),
    (check_fewshot, codes_of_one_view, augmentation, "interpolated_codes", "generated, 5-way 5-shot"),
    (partial(check_losses, "cnc28"), radius_too_large, connection, "neighbourhood", "cycle 1, generator"),
    (partial(check_losses, "cnc56"), radius_too_small, connection, "neighbourhood", "cycle 1, generator"),
    (partial(check_losses, "ours"), lambda_left_out, IdentityViewGAN, "view_weight", "cycle 1, discriminator"),
    (
        partial(check_losses, "ours"),
        learning_rate_a_percent_higher,
        IdentityViewGAN,
        "LEARNING_RATE",
        "cycle 2, discriminator",
    ),
    (partial(check_losses, "cr_gan"), no_gradient_penalty, cr_gan, "gradient_penalty", "cycle 1, discriminator"),
    (
        partial(check_losses, "two_step"),
        three_steps_of_the_adversary,
        Disentangler,
        "ADVERSARY_STEPS",
        "cycle 2, adversary",
    ),
]


@pytest.mark.parametrize(
    ("check", "defect", "where", "name", "figure"), DEFECTS, ids=[row[1].__name__ for row in DEFECTS]
)
def test_a_defect_is_found(
    check: Callable[[], None],
    defect: Callable[[Right], Right],
    where: object,
    name: str,
    figure: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(where, name, defect(getattr(where, name)))
    with pytest.raises(AssertionError, match=f"(?s)golden values moved.*{figure}: was .*{COMMAND}"):
        check()
