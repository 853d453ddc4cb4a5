"""What is said of a drawn figure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A figure that lies in the results as `<path>.png` and `<path>.svg`.

    Attributes:
        path: relative to the results folder, without suffix, such as `paper/figure_4`.
        title: heading, without the name of the run, which stands on the figure itself.
        caption: what is shown, of which split, and what its intervals cover; plain text.
    """

    path: str
    title: str
    caption: str
