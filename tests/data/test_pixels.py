"""Pixels to tensors and back."""

import numpy as np
import torch

from benchmark.data.pixels import to_float, to_uint8


def test_round_trip_of_every_byte() -> None:
    images = np.arange(256, dtype=np.uint8).repeat(12).reshape(16, 8, 8, 3)
    assert np.array_equal(to_uint8(to_float(images)), images)


def test_ends_of_the_range_and_channel_order() -> None:
    image = np.zeros((1, 2, 2, 3), np.uint8)
    image[0, 0, 1] = (255, 0, 51)
    tensor = to_float(image)
    assert tensor.shape == (1, 3, 2, 2)
    torch.testing.assert_close(tensor[0, :, 0, 1], torch.tensor([1.0, -1.0, -0.6]))
    assert (tensor[0, :, 1, 1] == -1).all()


def test_to_uint8_rounds_and_clips() -> None:
    values = torch.tensor([-2.0, -1.0, -1 + 0.6 / 127.5, 0.0, 1.0, 7.0]).reshape(1, 1, 1, 6).expand(1, 3, 1, 6)
    assert to_uint8(values)[0, 0, :, 0].tolist() == [0, 0, 1, 128, 255, 255]
