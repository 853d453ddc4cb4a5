"""Where results come from: settings, sources, machine, and what is missing."""

from pydantic import BaseModel, ConfigDict, field_validator

from benchmark.reporting.failures import Failure, causes
from benchmark.reporting.tables import Trained
from benchmark.settings import Profile

__all__ = ["Facts", "Failure"]


class Facts(BaseModel):
    """Where the rows of results come from.

    Attributes:
        name: of the run, stamped on every table.
        settings: the profile with what the command line changed.
        commit: of the sources, `unknown` outside a repository; ends in `, changed` where files differ from it.
        versions: of Python and the packages that decide numbers.
        devices: what the trainings ran on, such as the processor's or the GPU's name.
        counts: identities and images of each part of the data, such as `{"standard": {"identities": 80, ...}}`.
        trained: on which terms each model was trained.
        left_out: standard identities that each split cannot use.
        failed: what is missing in the tables, and why; not what is missing because of another one here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    settings: Profile
    commit: str
    versions: dict[str, str]
    devices: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    trained: dict[str, Trained]
    left_out: dict[str, int]
    failed: tuple[Failure, ...] = ()

    @field_validator("failed")
    @classmethod
    def _causes(cls, failed: tuple[Failure, ...]) -> tuple[Failure, ...]:
        return causes(failed)
