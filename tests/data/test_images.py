"""The image store against a slow reference, and every kind of file it may meet."""

import resource
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmark.data import images, manifest, pictures
from benchmark.data.image_store import ImageStore
from benchmark.data.images import build
from benchmark.data.pictures import crop, decode
from benchmark.errors import BenchmarkError, FullDiskError

SIZE = 16
SQUARE = (SIZE, 0.1)  # image_size and margin


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save_tree(root: Path, count: int) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    for i in range(count):
        name = f"{i:03}.png"
        Image.fromarray(noise(20 + i % 7, 30 - i % 5, i)).save(root / name)
        box = None if i % 3 == 0 else [2, 1, 12 + i % 4, 15]
        rows.append({"image": name, "identity": str(i % 4), "view": "left", "box": box, "group": "g"})
    return manifest.build(rows)


def reference(picture: np.ndarray, box: tuple[int, int, int, int], margin: float, size: int) -> np.ndarray:
    """The definition of `crop`, pixel by pixel, for boxes whose enlarged edges are whole numbers."""
    x0, y0, x1, y1 = box
    dx, dy = margin * (x1 - x0), margin * (y1 - y0)
    left, right = max(int(x0 - dx), 0), min(int(x1 + dx), picture.shape[1])
    top, bottom = max(int(y0 - dy), 0), min(int(y1 + dy), picture.shape[0])
    side = max(right - left, bottom - top)
    above, before = (side - (bottom - top)) // 2, (side - (right - left)) // 2
    square = np.zeros((side, side, 3), np.uint8)
    for y in range(side):
        for x in range(side):
            nearest_y = min(max(y - above + top, top), bottom - 1)
            nearest_x = min(max(x - before + left, left), right - 1)
            square[y, x] = picture[nearest_y, nearest_x]
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(
    "box",
    [(10, 10, 40, 30), (0, 0, 60, 50), (20, 5, 24, 45), (-20, 10, 20, 30), (40, 30, 100, 90), (-10, -10, 90, 90)],
)
def test_crop_is_what_the_reference_says(box: tuple[int, int, int, int]) -> None:
    picture = noise(50, 60)
    np.testing.assert_array_equal(crop(picture, box, SIZE, 0.5), reference(picture, box, 0.5, SIZE))


def test_crop_of_the_whole_picture() -> None:
    picture = noise(50, 60)
    np.testing.assert_array_equal(crop(picture, None, *SQUARE), reference(picture, (0, 0, 60, 50), 0, SIZE))


def test_crop_does_not_alias() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    inner = crop(stripes, None, *SQUARE)[:, 2:-2].astype(int)
    assert abs(inner - 127).max() <= 4


def test_a_tiny_box_still_has_a_pixel() -> None:
    picture = noise(10, 10)
    for box in ((9.9, 9.9, 9.95, 9.95), (0.01, 0.01, 0.02, 0.02)):
        assert (crop(picture, box, *SQUARE) == picture[int(box[0]), int(box[1])]).all()


@pytest.mark.parametrize("box", [(10, 0, 20, 5), (0, 10, 5, 20), (-5, 0, 0, 5), (0, -5, 5, 0), (5, 5, 5, 9)])
def test_a_box_outside_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(BenchmarkError, match=r"the box \[-?\d+\.0, .*\] .* 10 x 10 pixels"):
        crop(noise(10, 10), np.array(box), *SQUARE)


def test_a_thread_of_pixels_does_not_fill_the_memory() -> None:
    with pytest.raises(BenchmarkError, match=r"too long to be made square"):
        crop(np.zeros((1, 50_000, 3), np.uint8), None, *SQUARE)


def two_colours(first: object, second: object, mode: str) -> Image.Image:
    picture = Image.new(mode, (4, 2), first)  # type: ignore[arg-type]
    picture.paste(second, (2, 0, 4, 2))  # type: ignore[arg-type]
    return picture


def palette() -> Image.Image:
    picture = two_colours(0, 1, "P")
    picture.putpalette([255, 0, 0, 0, 0, 255])
    return picture


RED, BLUE, WHITE, BLACK = (255, 0, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


@pytest.mark.parametrize(
    ("name", "picture", "options", "left", "right"),
    [
        ("rgb.png", two_colours(RED, BLUE, "RGB"), {}, RED, BLUE),
        ("grey.png", two_colours(0, 200, "L"), {}, BLACK, (200,) * 3),
        ("bits.png", two_colours(0, 1, "1"), {}, BLACK, WHITE),
        ("palette.png", palette(), {}, RED, BLUE),
        ("see_through_palette.png", palette(), {"transparency": 0}, WHITE, BLUE),
        ("palette.gif", palette(), {}, RED, BLUE),
        ("alpha.png", two_colours((255, 0, 0, 0), (0, 0, 255, 255), "RGBA"), {}, WHITE, BLUE),
        ("half.png", two_colours((0, 0, 0, 51), (0, 0, 255, 255), "RGBA"), {}, (204,) * 3, BLUE),
        ("grey_alpha.png", two_colours((0, 0), (0, 255), "LA"), {}, WHITE, BLACK),
        ("deep.png", two_colours(257 * 10, 257 * 200, "I;16"), {}, (10,) * 3, (200,) * 3),
        ("deep.tif", two_colours(257 * 10, 65535, "I;16"), {}, (10,) * 3, WHITE),
        ("deep.pgm", two_colours(257 * 10, 257 * 200, "I"), {}, (10,) * 3, (200,) * 3),
        ("cmyk.tif", two_colours((0, 255, 255, 0), (255, 255, 0, 0), "CMYK"), {}, RED, BLUE),
        ("lossless.webp", two_colours(RED, BLUE, "RGB"), {"lossless": True}, RED, BLUE),
    ],
)
def test_every_kind_of_file(
    tmp_path: Path, name: str, picture: Image.Image, options: dict[str, object], left: object, right: object
) -> None:
    picture.save(tmp_path / name, **options)
    decoded = decode(tmp_path / name)
    assert decoded.shape == (2, 4, 3)
    assert decoded.dtype == np.uint8
    assert tuple(decoded[0, 0]) == left
    assert tuple(decoded[1, 3]) == right


def test_cmyk_jpeg(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    assert abs(decode(tmp_path / "a.jpg").astype(int) - RED).max() <= 8


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, (0, 0)), (2, (0, -1)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))]
)
def test_exif_turns_the_picture(tmp_path: Path, orientation: int, corner: tuple[int, int]) -> None:
    picture = Image.new("RGB", (6, 3))
    picture.putpixel((0, 0), RED)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "a.png", exif=exif)
    decoded = decode(tmp_path / "a.png")
    assert decoded.shape == ((6, 3, 3) if orientation > 4 else (3, 6, 3))
    assert tuple(decoded[corner]) == RED


def test_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, BLUE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert tuple(decode(tmp_path / "a.gif")[0, 0]) == RED


def damaged(path: Path) -> None:
    Image.fromarray(noise(50, 50)).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize("write", [damaged, Path.touch, lambda path: path.write_text("no image"), lambda path: None])
def test_unreadable_files_are_named(tmp_path: Path, write: object) -> None:
    write(tmp_path / "bad.jpg")  # type: ignore[operator]
    with pytest.raises(BenchmarkError, match=r"bad\.jpg"):
        decode(tmp_path / "bad.jpg")


def test_postscript_is_not_run(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.eps")
    with pytest.raises(BenchmarkError, match=r"a\.eps"):
        decode(tmp_path / "a.eps")


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    Image.new("F", (4, 4), 0.5).save(tmp_path / "a.tif")
    with pytest.raises(BenchmarkError, match=r"floating-point numbers of unknown range"):
        decode(tmp_path / "a.tif")


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    assert Image.MAX_IMAGE_PIXELS
    assert pictures.MOST_PIXELS < Image.MAX_IMAGE_PIXELS
    for side in (9_500, 14_000):  # Pillow warns at the first size and refuses the second
        Image.new("1", (side, side)).save(tmp_path / "bomb.png")
        frame = manifest.build([{"image": "bomb.png", "identity": "a", "view": "left", "group": "g"}])
        with pytest.raises(BenchmarkError, match=rf"bomb\.png .*({side} x {side}|bomb)"):
            build(frame, tmp_path, *SQUARE, tmp_path / "store")


def test_the_store_holds_every_crop_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "CHUNK", 4)
    frame = save_tree(tmp_path, 11)
    frame = frame.iloc[::-1].reset_index(drop=True)
    stored, account = build(frame, tmp_path, *SQUARE, tmp_path / "store")
    store = ImageStore.open(tmp_path / "store")
    assert list(store.manifest["image"]) == list(stored["image"]) == list(frame["image"])
    assert isinstance(store.images, np.memmap)
    assert store.images.shape == (11, SIZE, SIZE, 3)
    assert not store.images.flags.writeable
    for row in store.manifest.itertuples():
        expected = crop(decode(tmp_path / row.image), row.box, *SQUARE)
        np.testing.assert_array_equal(store.images[row.row], expected)
    assert "dropped nothing; 11 images of 4 identities out" in str(account)
    assert (tmp_path / "store/rejected.csv").read_text() == "image,reason\n"


def test_threads_do_not_change_a_byte(tmp_path: Path) -> None:
    frame = save_tree(tmp_path, 20)
    hashes = set()
    for workers in (1, 4):
        build(frame, tmp_path, *SQUARE, tmp_path / str(workers), workers)
        hashes.add(ImageStore.open(tmp_path / str(workers)).content_hash)
    assert len(hashes) == 1
    assert (tmp_path / "1/images.npy").read_bytes() == (tmp_path / "4/images.npy").read_bytes()


def test_a_few_bad_images_are_left_out_and_listed(tmp_path: Path) -> None:
    frame = save_tree(tmp_path, 202)
    damaged(tmp_path / "007.png")
    frame.at[100, "box"] = [500, 500, 600, 600]
    stored, account = build(frame, tmp_path, *SQUARE, tmp_path / "store")
    store = ImageStore.open(tmp_path / "store")
    assert len(store.images) == len(store.manifest) == 200
    assert list(stored["row"]) == list(range(200))
    assert account.dropped == {"unreadable or with a box outside the image": 2}
    last = crop(decode(tmp_path / "201.png"), frame.at[201, "box"], *SQUARE)
    np.testing.assert_array_equal(store.images[199], last)
    rejected = pd.read_csv(tmp_path / "store/rejected.csv")
    assert list(rejected["image"]) == ["007.png", "100.png"]
    assert rejected["reason"].str.contains("no readable image|outside the picture").all()


def test_many_bad_images_are_an_error(tmp_path: Path) -> None:
    frame = save_tree(tmp_path, 50)
    (tmp_path / "007.png").unlink()
    elsewhere = tmp_path / "list/bad.csv"
    sentence = r"1 of 50 images cannot be used, the first, 007\.png, because .*No such file.*; .*bad\.csv lists them"
    with pytest.raises(BenchmarkError, match=sentence):
        build(frame, tmp_path, *SQUARE, tmp_path / "store", rejected_path=elsewhere)
    assert list(pd.read_csv(elsewhere)["image"]) == ["007.png"]
    assert list((tmp_path / "store").iterdir()) == []
    with pytest.raises(BenchmarkError, match=r"store holds no complete image store"):
        ImageStore.open(tmp_path / "store")


def test_a_full_disk_leaves_no_half(tmp_path: Path) -> None:
    frame = save_tree(tmp_path, 50)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(FullDiskError, match=r"images\.npy"):
            build(frame, tmp_path, *SQUARE, tmp_path / "store")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "store").iterdir()) == []


def test_the_hash_follows_pixels_and_table(tmp_path: Path) -> None:
    frame = save_tree(tmp_path, 10)

    def content_hash(table: pd.DataFrame) -> str:
        build(table, tmp_path, *SQUARE, tmp_path / "store")
        return ImageStore.open(tmp_path / "store").content_hash

    first = content_hash(frame)
    assert content_hash(frame) == first
    assert content_hash(frame.assign(view="right")) != first
    Image.fromarray(noise(20, 30, 99)).save(tmp_path / "000.png")
    assert content_hash(frame) != first


def test_a_later_manifest_still_finds_its_pixels(tmp_path: Path) -> None:
    stored, _ = build(save_tree(tmp_path, 8), tmp_path, *SQUARE, tmp_path / "store")
    later = stored[stored["identity"] == "3"].assign(split=["standard", "auxiliary"]).reset_index(drop=True)
    manifest.write(later, tmp_path / "later.parquet")
    store = ImageStore.open(tmp_path / "store", tmp_path / "later.parquet")
    chosen = store.manifest.loc[store.subset("auxiliary")]
    assert list(chosen["image"]) == ["007.png"]
    np.testing.assert_array_equal(
        store.images[chosen["row"].iloc[0]], crop(decode(tmp_path / "007.png"), chosen["box"].iloc[0], *SQUARE)
    )


def test_nothing_to_store(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"no images to store"):
        build(manifest.build([]), tmp_path, *SQUARE, tmp_path / "store")
