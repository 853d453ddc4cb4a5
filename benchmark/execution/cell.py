"""The one entry of a process: `python -m benchmark.execution.cell RUN TASK NAME SEED`.

RUN is the name of a profile or of a run (`benchmark runs`); TASK and NAME are such as `train ours`, `identity ours`,
`fewshot copy` or `judge view`; `-` stands for no name. What the task needs is made first, unless it is there; a process
that makes the same is waited for. `benchmark run --jobs`, `--keep-going` and a job of a cluster start it so, too.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from filelock import Timeout

from benchmark.data.content import is_prepared
from benchmark.environment import open_fabric, use_threads
from benchmark.errors import FullDiskError
from benchmark.execution.processes import FULL, HELD, end_with_parent
from benchmark.execution.tasks import KINDS, Task, carry_out, done
from benchmark.exits import clean_exit
from benchmark.run.runs import opened


def main() -> None:
    """Carry out the task that the command line names."""
    parser = ArgumentParser(prog="python -m benchmark.execution.cell", description=(__doc__ or "").partition("\n")[2])
    parser.add_argument("run", help="a profile, a run, or the file of a request")
    parser.add_argument("task", choices=KINDS)
    parser.add_argument("name", help="a model, a control, or a judge")
    parser.add_argument("seed", type=int, choices=range(1000), metavar="SEED", help="training seed, 0 to 999")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), help="default: that of the run")
    parser.add_argument("--plugin", action="append", type=Path, default=[], help="file with a model")
    parser.add_argument("--no-wait", action="store_true", help=f"end with {HELD} if another process makes the same")
    asked = parser.parse_args()
    with clean_exit():
        end_with_parent()
        run = opened(asked.run, asked.device, tuple(asked.plugin))
        use_threads(run.settings.threads)
        try:
            if not is_prepared(run):
                from benchmark.stages.data import prepare_data

                prepare_data(run)
            task = Task(asked.task, asked.name.removeprefix("-"), asked.seed)
            if not done(run, task):
                open_fabric(run.device)  # before anything is put aside
                carry_out(run, task, wait=not asked.no_wait)
        except Timeout:
            sys.exit(HELD)
        except FullDiskError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(FULL)


if __name__ == "__main__":
    main()
