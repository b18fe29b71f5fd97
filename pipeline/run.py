"""Execute the page of one run: train it, or load its record.

python -m pipeline.run PROFILE EXPERIMENT PROTOCOL ARCHITECTURE SEED
"""

import os
import sys
from pathlib import Path

from binenc.commands import command
from binenc.profile import ROOT, InputError, Profile
from binenc.records import is_current
from pipeline.page import execute


def main() -> None:
    if len(sys.argv) != 6:
        raise InputError("python -m pipeline.run PROFILE EXPERIMENT PROTOCOL ARCHITECTURE SEED")
    profile, *names, seed = sys.argv[1:]
    chosen = Profile.read(profile)
    run = chosen.run(*names, int(seed) if seed.isdecimal() else seed)
    values = {
        "profile": profile,
        "experiment": run.experiment_name,
        "protocol": run.protocol_name,
        "architecture": run.architecture,
        "seed": run.seed,
    }
    os.environ["BINENC_FIGURES"] = str(ROOT / "_build/figures")
    page = Path("_build/pages", profile, f"{run.id}.ipynb")
    if not is_current(chosen, run):
        print(f"training: progress in {page.with_suffix('.log')}", flush=True)
    execute(ROOT / "book/run.ipynb", ROOT / page, values)
    print(f"page: {page}")


if __name__ == "__main__":
    command(main)
