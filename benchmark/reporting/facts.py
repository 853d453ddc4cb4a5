"""Where results come from: settings, sources, machine, and what is missing."""

from pydantic import BaseModel, ConfigDict

from benchmark.reporting.tables import Trained
from benchmark.settings import Profile


class Failure(BaseModel):
    """A training or measurement that is not in the tables.

    Attributes:
        cell: its folder within the run, such as `models/ours/seed0`.
        status: as recorded: running, interrupted, diverged, damaged, or `out of date`.
        reason: in words; empty where the process has ended without one, as when it is killed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cell: str
    status: str
    reason: str

    @property
    def why(self) -> str:
        """The reason, never empty."""
        return self.reason or "begun and not finished; the same command again goes on with it"


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
        failed: what is missing in the tables, and why.
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
