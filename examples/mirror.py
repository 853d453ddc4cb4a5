"""Pictures made elsewhere: each input mirrored, whatever the target view. `python mirror.py EXPORTED OUTPUTS`."""

import csv
import shutil
import sys
from pathlib import Path

from PIL import Image, ImageOps

exported, outputs = map(Path, sys.argv[1:])
outputs.mkdir(parents=True, exist_ok=True)
with (exported / "targets.csv").open(encoding="utf-8", newline="") as file:
    for row in csv.DictReader(file):  # a generator would get the image and row["target"], the name of the view
        with Image.open(exported / row["file"], formats=["PNG"]) as picture:
            ImageOps.mirror(picture).save(outputs / row["output"])
shutil.copy(exported / "targets.csv", outputs / "outputs.csv")
