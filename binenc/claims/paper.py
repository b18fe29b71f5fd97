"""Ten of the paper's claims, each with a test that was fixed before the runs that it judges, except for an
addition to the eighth, which says so.

A claim is judged for one experiment and protocol at a time, by effects with a 95 % interval over seeds,
paired by seed where they compare: 'reproduced' if all intervals lie where the claim puts them, 'not
reproduced' if one lies wholly elsewhere, else 'undecided'; where one effect suffices, if one does and if
all do. The docstring of a claim's function is its test, as the book prints it.
"""

import inspect
from dataclasses import replace

import numpy as np
import pandas as pd

from binenc.claims.effect import Effect
from binenc.claims.notes import (
    NO_SIMPLEX,
    ahead,
    begins_without,
    beside_the_best,
    by_scale,
    lately,
    on_the_way,
    otherwise,
    receded,
    together,
    without_scale,
)
from binenc.claims.part import Part
from binenc.claims.race import Race, one_more, race
from binenc.claims.verdict import Claim
from binenc.profile import ARCHITECTURES, PAPER_ARCHITECTURES
from binenc.text.words import in_seeds

BINARY, LINEAR, NONLINEAR, NONE = PAPER_ARCHITECTURES
OTHERS = (LINEAR, NONLINEAR, NONE)
ETF = {
    "equinorm": "equinorm",
    "equiangularity": "equiangularity",
    "max_angle": "max angle",
    "tr_sw_sb": "Tr(Sw Sb⁺)/C",
}

ALL_POINTS = 0.99
"""'All points' as a reader of Fig. 2 can tell it: a hundredth of the axis is about the width of a line."""
COMPARABLE = 0.5
"""'Comparable', in percentage points: two and a half standard errors of the difference of two accuracies near
0.98, each measured on 10 000 points of its own; what is smaller may come from the choice of the test set."""


CLAIMS: list[Claim] = []


def claim(slug: str, statement: str, place: str, one_suffices: bool = False):
    """Add a function of the records to the claims; its docstring is the test."""

    def add(effects):
        test = " ".join(inspect.getdoc(effects).split())
        test = test.format(ALL_POINTS=ALL_POINTS, COMPARABLE=COMPARABLE)
        CLAIMS.append(Claim(len(CLAIMS) + 1, slug, statement, place, test, effects, one_suffices))
        return effects

    return add


def versus(other: str, of: str = BINARY) -> str:
    return f"{ARCHITECTURES[of]} − {ARCHITECTURES[other]}".lower()


@claim(
    "binarity",
    "Under binary encoding, mixtures of two peaks come to fit the latents better, and the peaks narrow",
    "Section 3, Fig. 1",
)
def binarity(part: Part) -> list[Effect]:
    """Training set, last against first evaluated epoch, by seed: the log-likelihood of the mixtures, averaged
    over points and dimensions, rises, and the standard deviation of their peaks falls. Latents that shrink
    pass this test by that alone, and latents that grow fail it; two measures that do not depend on the scale
    are shown for information: the log-likelihood of standardised latents, and how far it ends above that of
    one Gaussian.
    """
    score, width, fit, gain = peaks(part, BINARY)
    by = otherwise("standardised log-likelihood", [fit], [score, width])
    back = receded(part.curve("gain", BINARY))
    score = replace(score, note=together(score.note, by, back))
    return [score, width, fit, replace(gain, note=back)]


def peaks(part: Part, architecture: str) -> list[Effect]:
    """What claims 1 and 2 look at: two effects that depend on the scale of the latents, two that do not."""
    nats, width = "nats per value", part.change("std", architecture, log=True)
    score = part.change("log_likelihood", architecture)
    fit = part.change("standardised_log_likelihood", architecture)
    return [
        Effect("log-likelihood", score, nats, above=0.0, note=by_scale(score, fit)),
        Effect("standard deviation", width, "last / first", below=0.0, ratio=True),
        Effect("log-likelihood, standardised", fit, nats, above=0.0, decides=False),
        Effect("gain of two peaks over one, last", part.final("gain", architecture), nats, decides=False),
    ]


@claim(
    "linear-not-binary",
    "With a linear penultimate layer latents do not turn binary: mixtures of two peaks come to fit worse, "
    "or the peaks widen",
    "Section 3, Fig. 1",
    one_suffices=True,
)
def linear_not_binary(part: Part) -> list[Effect]:
    """The reverse of claim 1's test, for the linear penultimate architecture: the log-likelihood falls, or
    the standard deviation rises. One of the two is enough; the claim is refuted if both go the other way.
    Latents that grow pass this test by that alone.
    """
    return [replace(e, above=-e.below, below=-e.above) for e in peaks(part, LINEAR)]


@claim("one-code", "Under binary encoding all points of a class share one code", "Section 3, Fig. 2")
def one_code(part: Part) -> list[Effect]:
    """Training set, after the last epoch: the whole-code share, that of the points with their class's most
    common code, averaged over the classes, is above {ALL_POINTS}: nearer to 1 than a line of Fig. 2 is wide.
    The test set and the agreement per bit, a milder measure, which the released code plots, are shown for
    information. Whether classes have different codes is not asked here.
    """
    share = part.curve("code_share", BINARY)
    measures = {
        "whole-code share": share.iloc[-1],
        "whole-code share, test set": part.final("code_share", BINARY, "test"),
        "agreement per bit": part.final("bit_agreement", BINARY),
    }
    whole, tested, by_bit = (Effect(n, x, "share of points", above=ALL_POINTS) for n, x in measures.items())
    by = otherwise("agreement per bit, which the released code plots,", [by_bit], [whole])
    by_test = otherwise("the test points", [tested], [whole])
    above = f"{(whole.values > ALL_POINTS).sum()} of {whole.n_seeds} above {ALL_POINTS}"
    each = f"seed by seed {whole.by_seed}, {above}" if whole.state == "open" and whole.n_seeds > 1 else ""
    note = together(each, on_the_way(share, ALL_POINTS), by, by_test)
    return [replace(whole, note=note), replace(tested, decides=False), replace(by_bit, decides=False)]


@claim(
    "only-binary-encoding",
    "In none of the others do all points of a class share one code, and fewer do than under binary encoding",
    "Section 3, Fig. 2",
)
def only_binary_encoding(part: Part) -> list[Effect]:
    """Training set, after the last epoch: in each of the other three the share is below {ALL_POINTS}, and,
    paired by seed, below that of binary encoding. A code has a bit for each latent; without a penultimate
    layer these are many more, and a longer code is shared less easily. Agreement per bit is shown for
    information.
    """
    share, unit = {"unit": "share of points", "below": ALL_POINTS}, "percentage points"
    whole, bits = (
        [Effect(f"{name}, {ARCHITECTURES[a].lower()}", part.final(metric, a), **share) for a in OTHERS]
        + [Effect(versus(a), 100 * part.lead(metric, a), unit, above=0.0) for a in OTHERS]
        for metric, name in (("code_share", "whole-code share"), ("bit_agreement", "agreement per bit"))
    )
    said = otherwise("agreement per bit", bits, whole)
    return [replace(e, note=said) for e in whole] + [replace(e, decides=False) for e in bits[: len(OTHERS)]]


@claim(
    "test-accuracy", "Binary encoding has a higher test accuracy than each of the others", "Section 3, Fig. 3"
)
def higher_test_accuracy(part: Part) -> list[Effect]:
    """Test set, after the last epoch: three differences of accuracies, paired by seed, each above 0; the
    weakest decides. The paper does not say after how many epochs it looks.
    """
    return accuracy_leads(part, "test")


def accuracy_leads(part: Part, split: str) -> list[Effect]:
    """Of binary encoding over each of the others, in percentage points."""
    mine, *others = (part.curve("accuracy", a, split) for a in (BINARY, *OTHERS))
    said = {"unit": "percentage points", "above": 0.0}
    found = [
        Effect(versus(a), 100 * part.lead("accuracy", a, split), **said, at_most=100 * (1 - other.iloc[-1]))
        for a, other in zip(OTHERS, others, strict=True)
    ]
    note = together(ahead(mine, *others), lately(found, mine, *others))
    return [replace(e, note=note) for e in found]


@claim(
    "train-accuracy",
    "Binary encoding has a higher training accuracy than each of the others",
    "Section 3, Fig. 3",
)
def higher_train_accuracy(part: Part) -> list[Effect]:
    """Training set; otherwise the test is that of claim 5."""
    return accuracy_leads(part, "train")


@claim("others-comparable", "The other three have comparable accuracies", "Section 3, Fig. 3")
def others_comparable(part: Part) -> list[Effect]:
    """Both sets, after the last epoch: the differences among the three, paired by seed, each within
    ± {COMPARABLE} percentage points. The whole interval must lie within the margin (two one-sided tests at
    2.5 %); one that lies wholly outside refutes the claim. On 10 000 test points the margin is two and a half
    standard errors of the difference of independent accuracies near 98 %, and 1.4 near 93 %; on few points it
    is less than one. The lead of binary encoding over the one that is best on average is shown beside, for it
    can be as small.
    """
    splits, unit = ("train", "test"), "percentage points"
    margin = {"above": -COMPARABLE, "below": COMPARABLE}
    found = [
        Effect(f"{versus(b, a)}, {split}", 100 * part.lead("accuracy", b, split, of=a), unit, **margin)
        for split in splits
        for a, b in ((LINEAR, NONLINEAR), (LINEAR, NONE), (NONLINEAR, NONE))
    ]
    leads = [
        Effect(f"binary encoding − best other, {split}", lead_over_best(part, split), unit, decides=False)
        for split in splits
        if BINARY in part.architectures
    ]
    return [*(replace(e, note=beside_the_best(leads, COMPARABLE)) for e in found), *leads]


def lead_over_best(part: Part, split: str) -> pd.Series:
    """Of binary encoding over the other that is best on average, for the seeds that all four have."""
    leads = pd.DataFrame({a: 100 * part.lead("accuracy", a, split) for a in OTHERS}).dropna()
    return min((leads[a] for a in OTHERS), key=pd.Series.mean)


@claim(
    "faster-collapse",
    "Binary encoding speeds up neural collapse: class means come to a simplex, and points to their class "
    "means, sooner",
    "Appendix B, Fig. 4",
)
def faster_collapse(part: Part) -> list[Effect]:
    """Training set, seed by seed, for each of four measures; the target is the best final value of the other
    three. Time: the first evaluated epoch at which binary encoding is at or below the target, minus the first
    at which one of the others is, is below 0; it is known to within the epochs between two evaluations, and
    is 0 where both are there at the first. Area: the geometric mean of the measure over the epochs, relative
    to the lowest of the other three, is below 1. All eight must hold. A run that never reaches the target
    counts with the evaluation that would have come next, the earliest possible. Where one of the others is
    there at the first evaluation, binary encoding cannot be sooner. A measure has no value where a class has
    no point, because none is predicted so, or where all class means coincide. Such an evaluation of one of
    the four architectures cannot be its time, and is left out of the areas of all four, which take two; this
    was added when it had occurred on digits. For information: the share of the evaluations at which binary
    encoding is ahead by all four; and binary encoding's worst evaluation relative to the best of the other
    three, whenever that is, for the measure where this ratio is largest.
    """
    found, leads, apart = [], [], []
    for metric, name in ETF.items():
        curves = [part.course(metric, a) for a in (BINARY, *OTHERS)]
        epochs, seeds = curves[0].index.to_numpy(float), sorted(set.intersection(*map(set, curves)))
        races = [race(np.array([curve[seed] for curve in curves]), epochs) for seed in seeds]
        each = pd.DataFrame(races, seeds, Race._fields)
        said = {
            "not reached {}, counted one evaluation late": each.never,
            "{} binary encoding is there at the first evaluation": each.at_once,
            "{} one of the others is there at the first evaluation: none can be sooner": each.from_start,
        }
        late = together(*(note.format(in_seeds(sum(of), len(of))) for note, of in said.items() if any(of)))
        without = np.isnan(each.ahead.tolist())
        gaps = f"{without.sum()} of {without.size} evaluations left out: {NO_SIMPLEX}"
        unit, farthest = f"epochs, evaluated every {epochs[1] - epochs[0]:g}", one_more(epochs) - epochs[0]
        than = {"unit": "binary encoding / best other", "below": 0.0, "ratio": True}
        found += [
            Effect(f"{name}, time", each.time, unit, below=0.0, note=late, farthest=farthest),
            Effect(f"{name}, area", each.area, **than, note=gaps if without.any() else ""),
        ]
        leads.append(each.ahead.tolist())
        apart.append(each.apart)
    by = otherwise("the areas alone", found[1::2], found)
    found = [replace(effect, note=together(effect.note, by)) for effect in found]
    share = pd.DataFrame(np.min(leads, axis=0), seeds).mean(axis=1)
    worst = pd.concat(apart, axis=1).max(axis=1, skipna=False)
    return [
        *found,
        Effect("ahead by all four", share, "share of defined evaluations", decides=False),
        Effect(
            "worst, of all four", worst, "binary encoding's worst / best other", ratio=True, decides=False
        ),
    ]


@claim(
    "within-class-covariance",
    "The within-class covariance grows during training without binary encoding and not with it",
    "Appendix B, Fig. 4",
)
def within_class_covariance(part: Part) -> list[Effect]:
    """Training set, last over first evaluated epoch, by seed: the mean entry of the within-class covariance
    matrix grows in each of the other three and shrinks under binary encoding, where the paper says only that
    it does not grow. Entries of opposite sign cancel in that mean, and latents that grow or shrink pass by
    that alone; shown for information are the trace, in which nothing cancels, and Tr(Sw Sb⁺)/C, which has no
    scale and of which the paper says that it falls.
    """
    found = {
        metric: [
            Effect(
                f"{name}, {ARCHITECTURES[a].lower()}",
                part.change(metric, a, log=True),
                "last / first",
                **{"below" if a == BINARY else "above": 0.0},
                ratio=True,
                note=begins_without(part.course("tr_sw_sb", a)),
            )
            for a in (BINARY, *OTHERS)
        ]
        for metric, name in {
            "within_class_covariance": "mean entry",
            "trace_sw": "trace",
            "tr_sw_sb": ETF["tr_sw_sb"],
        }.items()
    }
    mean_entry, trace, no_scale = found.values()
    said = otherwise("the trace", trace, mean_entry), without_scale(no_scale)
    deciding = [replace(e, note=together(e.note, *said)) for e in mean_entry]
    return deciding + [replace(e, decides=False) for e in (*trace, *no_scale)]


@claim(
    "equal-size", "The three architectures with a penultimate layer have equally many parameters", "Section 3"
)
def equal_size(part: Part) -> list[Effect]:
    """The numbers of trainable parameters that the records state are equal. No sample, so no interval."""
    leads = {other: part.lead("n_parameters", other) for other in (LINEAR, NONLINEAR)}
    return [Effect(versus(other), lead, "parameters", exact=True) for other, lead in leads.items()]
