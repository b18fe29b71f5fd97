# profiles/*.yml -> a page and a record a run -> a page a chapter -> the report.
# `make book` calls this with --config profile=quick; `make report` with train=false, which renders what is recorded.
import json

from binenc import records
from binenc.profile import PROFILES, Profile

live = Profile.read(config.get("profile", "quick"))
TRAIN = str(config.get("train", True)).lower() == "true"

# The recorded profiles lead; the live one follows, with the runs that this machine trains.
profiles = {p.name: p for p in (Profile.read(path.stem) for path in sorted(PROFILES.glob("*.yml"))) if p.recorded}
profiles |= {live.name: profiles.pop(live.name, live)}
RUNS = {
    f"{name}/{run.id}": run
    for name, profile in profiles.items()
    for run in profile.all_runs()
    if (TRAIN and profile is live) or records.is_current(profile, run)
}
SHOWN = [name for name in profiles if any(key.startswith(f"{name}/") for key in RUNS)]
CHAPTERS = ["intro", "data", "architectures", "binarity", "encoding", "accuracy", "neural_collapse", "claims"]
TRAINING = [str(path) for pattern in records.TRAINING_SOURCES for path in Path("binenc").glob(pattern)]
DRAWING = ["binenc/figures.py", "binenc/words.py", "binenc/study.py", "pipeline/page.py"]


wildcard_constraints:
    profile="[^/]+",
    chapter="[a-z_]+",


rule report:
    input:
        expand("_build/pages/{key}.ipynb", key=RUNS),
        expand("_build/chapters/{live}/{chapter}.ipynb", live=live.name, chapter=CHAPTERS),
        "_config.yml",
        "_toc.yml",
        "pipeline/report.py",
        [str(path) for path in Path("book").rglob("*") if path.is_file() and path.suffix != ".ipynb"],
    output:
        "_build/html/index.html",
    shell:
        "python -m pipeline.report {live.name} " + " ".join(SHOWN)


rule run:
    input:
        "book/run.ipynb", DRAWING, TRAINING,
    params:
        configuration=lambda w: json.dumps(RUNS[f"{w.profile}/{w.id}"].configuration),
        run=lambda w: RUNS[f"{w.profile}/{w.id}"],
    output:
        page="_build/pages/{profile}/{id}.ipynb",
        record=update("results/{profile}/{id}/run.json"),
    message:
        "{wildcards.profile}/{wildcards.id}"
    shell:
        "BINENC_FIGURES=_build/figures OMP_NUM_THREADS={threads} "
        "python -m pipeline.page book/run.ipynb {output.page} profile={wildcards.profile} "
        "experiment={params.run.experiment_name} protocol={params.run.protocol_name} "
        "architecture={params.run.architecture} seed={params.run.seed}"


rule chapter:
    input:
        "book/{chapter}.ipynb", DRAWING,
        expand("results/{key}/run.json", key=RUNS),
    output:
        "_build/chapters/{live}/{chapter}.ipynb",
    shell:
        "BINENC_FIGURES=_build/figures OMP_NUM_THREADS={threads} "
        "python -m pipeline.page {input[0]} {output} 'profiles=[" + ",".join(SHOWN) + "]'"
