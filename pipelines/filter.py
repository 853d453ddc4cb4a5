"""Stage filter: remove unwanted views and small identities, and decode the rest into the image store."""

from benchmark.stages.data import filter_images
from pipelines.stage import start

if __name__ == "__main__":
    start(filter_images)
