"""Execute the page of one run: train it, or load its record.

python -m pipeline.run PROFILE EXPERIMENT PROTOCOL ARCHITECTURE SEED
"""

import sys

from binenc.profile import ROOT, InputError, Profile
from pipeline.page import execute


def main() -> None:
    if len(sys.argv) != 6:
        print("python -m pipeline.run PROFILE EXPERIMENT PROTOCOL ARCHITECTURE SEED", file=sys.stderr)
        sys.exit(2)
    profile, *names, seed = sys.argv[1:]
    try:
        run = Profile.read(profile).run(*names, int(seed) if seed.isdigit() else seed)
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    values = {
        "profile": profile,
        "experiment": run.experiment_name,
        "protocol": run.protocol_name,
        "architecture": run.architecture,
        "seed": run.seed,
    }
    page = ROOT / "_build/pages" / profile / f"{run.id}.ipynb"
    execute(ROOT / "book/run.ipynb", page, values)
    print(f"page: {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
