"""What a page is evidence of, and where its numbers come from, as Markdown."""

from binenc.profile import ARCHITECTURES, Run
from binenc.protocol import in_words
from binenc.provenance import version
from binenc.study import Study, contents, source
from binenc.text.words import counted, duration, markdown_table


def scope(found: Study) -> str:
    """What a page is evidence of, as Markdown: which runs, with which seeds, for how many epochs."""
    rows = []
    for name, protocol, experiments in found.parts():
        for experiment in experiments:
            runs = [
                r for r in found.runs[name] if (r.experiment_name, r.protocol_name) == (experiment, protocol)
            ]
            e = runs[0].experiment
            seeds = ", ".join(map(str, sorted({r.seed for r in runs})))
            profile = f"{name}, {found.profiles[name].origin}"
            rows.append((e.title, in_words(protocol), seeds, e.epochs, profile))
    lines = markdown_table(["Experiment", "Protocol", "Seeds", "Epochs", "Profile"], rows)
    recorded = "*Recorded* runs ship with the repository; the others were trained for this report."
    return f"{lines}\n\n{about(found)} {recorded}"


def about(found: Study) -> str:
    """What each profile is evidence of, in its own words."""
    return " ".join(f"*{profile.title}:* {profile.about}" for profile in found.profiles.values())


def gaps(found: Study) -> list[str]:
    """A sentence, as Markdown, a profile that has runs without a record: how many have one, which do not."""
    said = []
    for name, runs in found.missing.items():
        if runs:
            have = found.runs.get(name, [])
            counts = []
            for words, switched in (("", False), (" with a single switch", True)):
                every = [r for r in (*have, *runs) if ("," in r.id) is switched]
                if every:
                    counts.append(f"{sum(r in have for r in every)} of {len(every)} runs of `{name}`{words}")
            said.append(
                f"**Recorded so far: {', and '.join(counts)}.** Without a record: {lacking(have, runs)}."
            )
    return said


def lacking(have: list[Run], lack: list[Run]) -> str:
    """Experiments, protocols and seeds without a record, in words; of those with some, what is missing."""
    said = []
    for title in dict.fromkeys(r.experiment.title for r in lack):
        rest, some = ([r for r in runs if r.experiment.title == title] for runs in (lack, have))
        if not some:
            said.append(f"all of {title}")
            continue
        for protocol in dict.fromkeys(r.protocol_name for r in rest):
            lost, kept = ([r for r in runs if r.protocol_name == protocol] for runs in (rest, some))
            partly, seeds = {r.seed for r in kept}, {}
            for r in lost:
                seeds.setdefault(r.seed, []).append(ARCHITECTURES[r.architecture].lower())
            which = ", ".join(f"{s} ({', '.join(a)})" if s in partly else f"{s}" for s, a in seeds.items())
            what = f", seed{'s' * (len(seeds) > 1)} {which}" if kept else ""
            said.append(f"{title} {in_words(protocol)}{what}")
    return "; ".join(said)


def origin(found: Study) -> str:
    """Where the numbers come from, as Markdown: an item a profile; then `about` and `gaps`."""
    items = (
        made_by(
            f"`results/{name}` ({source(found.profiles[name])})",
            [contents(found.profiles[name], r) for r in runs],
        )
        for name, runs in found.runs.items()
    )
    return "\n\n".join(["\n".join(items), about(found), *gaps(found)])


def made_by(where: str, made: list[dict]) -> str:
    """One Markdown item: how many records lie there and what made them, from what their run.json say."""
    commits = sorted({version(m["commit"], m["dirty"]) for m in made})
    days = sorted({m["date"][:10] for m in made})
    software = sorted({f"Python {m['versions']['python']}, torch {m['versions']['torch']}" for m in made})
    took = duration(sum(m["wall_seconds"] for m in made))
    return (
        f"- {where}: {counted(len(made), 'record')}, commit {', '.join(commits)}; "
        f"device {', '.join(sorted({m['device'] for m in made}))}; {', '.join(software)}; "
        f"{' to '.join(dict.fromkeys((days[0], days[-1])))}; {took} of training."
    )
