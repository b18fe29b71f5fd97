# profiles/*.yml -> a page and a record a run -> a page a chapter -> the report.
# `make book` calls this with --config profile=quick; `make report` with train=false, which renders what is recorded;
# `make paper SHARD=1/4` with shard=1/4 and the target `pages`: a part of the runs, and no report.
import json
import os
import re
import sys

from binenc import records
from binenc.choice import shard
from binenc.profile import InputError, Profile, profile_names

try:
    known = [Profile.read(name) for name in profile_names()]
    live = Profile.read(str(config.get("profile", "quick")))
    part = shard(live.all_runs(), str(config.get("shard", "1/1")))
except InputError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
PART = {f"{live.name}/{run.id}": place for place, run in enumerate(part)}
TRAIN = str(config.get("train", True)).lower() == "true"

# The recorded profiles lead, that of the longest training first; last is the live one, with the runs that this machine
# trains.
recorded = [p for p in known if p.recorded]
have = {p.name: {run.id: run for run in p.all_runs() if records.is_current(p, run)} for p in [*recorded, live]}
epochs = {name: sum(run.experiment.epochs for run in runs.values()) for name, runs in have.items()}
ordered = [*sorted(recorded, key=lambda p: -epochs[p.name]), live]
profiles = {p.name: p for p in ordered if p is live or p.name != live.name}
RUNS, TODO = {}, []
for name, profile in profiles.items():
    for run in profile.all_runs():
        current = run.id in have[name]
        if current or (TRAIN and f"{name}/{run.id}" in PART):
            RUNS[f"{name}/{run.id}"] = json.dumps(
                run.configuration | {"code": "" if profile.recorded else records.code_version()}
            )
        page = Path("_build/pages", f"{name}/{run.id}.ipynb")
        if current and page.exists():
            made = records.folder(profile, run) / "run.json"
            if page.stat().st_mtime < made.stat().st_mtime:
                page.unlink()  # of a record that another has replaced
        if not current:
            TODO.append(f"{name}/{run.id}")
SHOWN = [name for name in profiles if any(key.startswith(f"{name}/") for key in RUNS)]
if not SHOWN:
    print(f"there is no record to show: `make book PROFILE={live.name}` makes some", file=sys.stderr)
    sys.exit(2)

# All pages of _toc.yml but those that are text, or written by pipeline.appendix.
CHAPTERS = re.findall(r"^[^#\n]*: book/([\w-]+)$", Path("_toc.yml").read_text(), re.M)
CHAPTERS = [name for name in CHAPTERS if name not in ("status", "speed") and not Path(f"book/{name}.md").exists()]
TRAINING = [str(path) for pattern in records.TRAINING_SOURCES for path in Path("binenc").glob(pattern)]
JUDGING, COMMANDS = ([str(path) for path in Path("binenc", room).glob("[!.]*.py")] for room in ("claims", "commands"))
DRAWING = {str(path) for path in Path("binenc").rglob("[!.]*.py")} - {*TRAINING, *JUDGING, *COMMANDS}
DRAWING = [*sorted(DRAWING), "pipeline/page.py"]
TEXT = [path for room in ("book", "profiles") for path in Path(room).rglob("*") if path.suffix != ".ipynb"]
TEXT = ["LICENSE", "CITATION.cff", "_config.yml", "_toc.yml", *map(str, filter(Path.is_file, TEXT))]
# Of the data sets' files, which a chapter shows, as binenc.data finds them (which imports torch).
DATA = Path(os.environ.get("BINENC_DATA") or "data").expanduser()
PAGE = "OMP_NUM_THREADS={threads} python -m pipeline.warm "


# Snakemake does not make again what only an older product was made from.
PAGES = expand("_build/pages/{key}.ipynb", key=RUNS)
PAGES += expand("_build/chapters/{live}/{chapter}.ipynb", live=live.name, chapter=CHAPTERS)
if not all(Path(path).exists() for path in ["_build/html/index.html", *PAGES]):
    Path("_build/report.done").unlink(missing_ok=True)


# To limit how many jobs start in a second, Snakemake looks for jobs again a second after it looked, and whenever one has
# ended, without an end: after a hundred jobs a hundred times a second.
onstart:
    workflow.scheduler.job_rate_limiter = None


localrules: report, pages


rule report:
    input:
        PAGES, TEXT, expand("pipeline/{part}.py", part=["report", "stage", "kept", "appendix", "book", "check", "speed"]),
        [path for path in ("bench/recorded.json", "_build/bench.json") if Path(path).exists()],
    output:
        # Not the report itself, which Snakemake would remove before another is complete.
        touch("_build/report.done"),
    message:
        "build the book"
    shell:
        "python -m pipeline.warm pipeline.report {live.name} " + " ".join(SHOWN)


rule pages:
    input:
        expand("_build/pages/{key}.ipynb", key=[key for key in PART if key in RUNS]),


rule train:
    input:
        "book/run.ipynb", "pipeline/run.py", DRAWING, TRAINING,
    output:
        page="_build/pages/{key}.ipynb",
        # Of a page that fails after its training Snakemake removes a link, not the record.
        record="_build/records/{key}.json",
    wildcard_constraints:
        key="|".join(map(re.escape, TODO)) or "(?!)",
    # As the profile has them, so that what a stopped training leaves is of use.
    priority: lambda w: -PART.get(w["key"], 0)
    threads: live.resources.threads
    resources:
        mem_mb=live.resources.memory_mb,
        runtime=live.resources.minutes,
        gpu=live.resources.gpus,
        training=1,
    params:
        configuration=lambda w: RUNS[w.key],
        words=lambda w: re.sub(r"/seed-(\d+)$", r" \1", w.key).replace("/", " "),
    message:
        "train {wildcards.key}"
    shell:
        PAGE + "pipeline.run {params.words} && ln -srf results/{wildcards.key}/run.json {output.record}"


# The record is there and stays: only the page is executed again.
use rule train as draw with:
    wildcard_constraints:
        key="|".join(re.escape(key) for key in RUNS if key not in TODO) or "(?!)",
    priority: -len(PART)  # beside the trainings, for which the chapters wait
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
        gpu=0,
        training=0,
    message:
        "draw {wildcards.key}"


# Snakemake names a job of a cluster by its wildcards, and reads them back cut at commas (its issue 2366).
class Whole:
    def __init__(self, product):
        self.product = product

    def apply_wildcards(self, cut):
        return self.product.apply_wildcards({"key": ",".join(map("=".join, cut.items())).removeprefix("key=")})


for paged in map(workflow.get_rule, ("train", "draw")):
    paged.get_some_product = lambda product=paged.get_some_product(): Whole(product)


rule chapter:
    input:
        "book/{chapter}.ipynb", DRAWING, JUDGING,
        expand("profiles/{name}.yml", name=SHOWN), expand("_build/records/{key}.json", key=RUNS),
        lambda w: sorted(map(str, DATA.glob("*/raw/*-ubyte"))) if w.chapter == "data" else [],
    output:
        "_build/chapters/{live}/{chapter}.ipynb",
    wildcard_constraints:
        chapter="|".join(map(re.escape, CHAPTERS)),
    message:
        "chapter {wildcards.chapter}"
    shell:
        PAGE + f"pipeline.page {{input[0]}} {{output}} 'profiles={json.dumps(SHOWN)}'"
