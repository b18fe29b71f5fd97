"""Profiles say what to run: read, validated, and enumerated as runs."""

import json
import re
import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from binenc.protocol import PROTOCOLS, Protocol, in_words

ROOT = Path(__file__).resolve().parent.parent
PROFILES = ROOT / "profiles"

ARCHITECTURES = {
    "binary_encoding": "Binary encoding",
    "linear_penultimate": "Linear penultimate",
    "nonlinear_penultimate": "Non-linear penultimate",
    "no_penultimate": "No penultimate",
}
PAPER_ARCHITECTURES = list(ARCHITECTURES)
"""What profiles train unless they say otherwise, and what claims compare; a reader may add others."""


class InputError(ValueError):
    """What a user asked for cannot be done; the message says what is allowed."""


def _number(value):
    """YAML reads 1e-3, which has no point, as text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


Real = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]  # becomes a folder, is no number
Title = Annotated[str, Field(pattern=r"^[^|<>\n]+$")]  # stands in tables and in HTML


class Strictly(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Experiment(Strictly):
    """A dataset with its backbone and hyperparameters (Appendix A)."""

    title: Title
    dataset: Literal["mnist", "fashion_mnist", "digits"]
    backbone: Literal["mlp", "cnn"]
    width: int = Field(gt=0)
    """Nodes of each fully connected layer of the backbone, so the dimension of h(x)."""
    channels: list[Annotated[int, Field(gt=0)]] = []
    """Output channels of the five convolutional layers (cnn only)."""
    penultimate: int = Field(gt=0)
    """Dimension d of the penultimate layer."""
    dropout_rate: Real = Field(ge=0, lt=1)
    batch_size: int = Field(gt=0)
    learning_rate: Real = Field(gt=0)
    halve_every: int = Field(gt=0)
    """Epochs after which the learning rate is halved, where the protocol halves it."""
    gamma: Real = Field(ge=0)
    """Weight of the binary-encoding loss in Eq. 1."""
    epochs: int = Field(gt=0)
    evaluate_every: int = Field(gt=0)
    """The state after epoch 0, this many epochs later, and so on, and after the last, is measured."""
    precision: Literal["float32", "tf32", "bf16"] = "float32"
    classifier_sgd: Real = Field(0.0, ge=0)
    """Constant rate of gradient descent (momentum 0.9) that trains the classifier; 0 where Adam does."""
    classifier_rotated: bool = False
    """The classifier sees latents through a fixed random rotation, which its first weights undo."""

    @model_validator(mode="after")
    def _channels_fit_backbone(self):
        wanted = 5 if self.backbone == "cnn" else 0
        if len(self.channels) != wanted:
            raise ValueError(
                f"channels: the {self.backbone} takes {wanted} numbers, one a convolution, "
                f"not {len(self.channels)}"
            )
        return self

    @property
    def evaluated(self) -> list[int]:
        """Epochs after which the network is measured."""
        return sorted({*range(0, self.epochs, self.evaluate_every), self.epochs - 1})


class Block(Strictly):
    """A full grid of runs."""

    experiments: list[str] = Field(min_length=1)
    protocols: list[str] = Field(min_length=1)
    architectures: list[str] = Field(PAPER_ARCHITECTURES, min_length=1)
    seeds: list[int] = Field(min_length=1)


class Resources(Strictly):
    """What one run asks of the machine or the cluster; no part of its configuration."""

    threads: int = Field(1, gt=0)
    memory_mb: int = Field(2000, gt=0)
    minutes: int = Field(60, gt=0)
    """After which a cluster may stop it."""
    gpus: int = Field(0, ge=0)


@dataclass(frozen=True)
class Run:
    """One training: an experiment, a protocol, an architecture and a seed, by name and in full."""

    experiment_name: str
    protocol_name: str
    architecture: str
    seed: int
    experiment: Experiment
    protocol: Protocol

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What names it in a profile."""
        return self.experiment_name, self.protocol_name, self.architecture, self.seed

    @property
    def id(self) -> str:
        """Name and folder of the run."""
        return f"{self.experiment_name}/{self.protocol_name}/{self.architecture}/seed-{self.seed}"

    @property
    def title(self) -> str:
        return f"{self.group}: {ARCHITECTURES[self.architecture]}, seed {self.seed}"

    @property
    def group(self) -> str:
        """Experiment and protocol in words."""
        return f"{self.experiment.title}, {in_words(self.protocol_name)}"

    @property
    def configuration(self) -> dict:
        """All that decides the outcome of the run; a record is read back only if this is equal."""
        return {
            "experiment": self.experiment.model_dump(exclude={"title"}),
            "protocol": self.protocol.model_dump(),
            "architecture": self.architecture,
            "seed": self.seed,
        }


class Profile(Strictly):
    """What to run."""

    name: Name
    title: Title
    about: str
    recorded: bool = False
    """Records are kept when the package changes: they were made once, on a larger machine."""
    evidence: bool = True
    """Whether a verdict may rest on its runs; those of ``smoke`` are too small."""
    resources: Resources = Resources()
    experiments: dict[Name, Experiment] = Field(min_length=1)
    runs: list[Block] = Field(min_length=1)

    @property
    def origin(self) -> str:
        """Whether its records ship with the repository or are trained for a report."""
        return "recorded" if self.recorded else "trained afresh"

    @classmethod
    def read(cls, name: str) -> "Profile":
        """Read ``profiles/<name>.yml``.

        Raises
        ------
        InputError
            If there is no such profile, or it has an unknown key or an ill-typed value.
        """
        path = PROFILES / f"{name}.yml"
        _one_of("profile", name, profile_names())
        try:
            content = yaml.load(path.read_bytes(), _Loader)
            if not isinstance(content, dict):
                raise InputError(f"holds no keys: allowed are {_fields(cls)}")
            if "name" in content:
                raise InputError("name: the name of a profile is that of its file")
            profile = cls.model_validate(content | {"name": name})
            experiments = {}
            for run in profile.all_runs():
                first = experiments.setdefault(run.experiment.title, run.experiment_name)
                if first != run.experiment_name:
                    shared = f"title {run.experiment.title!r}: {first} and {run.experiment_name} share it"
                    raise InputError(f"{shared}; give each its own")
        except ValidationError as error:
            raise InputError(f"profiles/{name}.yml: {first_complaint(error)}") from None
        except (yaml.YAMLError, InputError) as error:
            raise InputError(f"profiles/{name}.yml: {' '.join(str(error).split())}") from None
        return profile

    def run(self, experiment: str, protocol: str, architecture: str, seed: int) -> Run:
        """The run of these names; ``name,field=value`` changes one field of an experiment or protocol.

        Raises
        ------
        InputError
            If a name or a changed field is unknown or ill-typed, or the seed is negative.
        """
        _one_of("architecture", architecture, ARCHITECTURES)
        if type(seed) is not int or not 0 <= seed < 2**32:
            raise InputError(f"seed {seed!r}: allowed are the integers from 0 to 2**32 - 1")
        return Run(
            experiment,
            protocol,
            architecture,
            seed,
            _changed("experiment", experiment, self.experiments),
            _changed("protocol", protocol, PROTOCOLS),
        )

    def names(self, run: Run) -> bool:
        """Whether the run is one of `all_runs`, by its names."""
        return any(
            run.experiment_name in block.experiments
            and run.protocol_name in block.protocols
            and run.architecture in block.architectures
            and run.seed in block.seeds
            for block in self.runs
        )

    def all_runs(self) -> list[Run]:
        """Every run of the profile once, in the order written."""
        rows = {
            (e, p, a, s): None
            for block in self.runs
            for s in block.seeds
            for e in block.experiments
            for p in block.protocols
            for a in block.architectures
        }
        return [self.run(*row) for row in rows]


def profile_names() -> list[str]:
    """Names of the files in ``profiles/``, but for an editor's locks on them, which begin with a point."""
    return sorted(path.stem for path in PROFILES.glob("[!.]*.yml"))


def _changed(what: str, name: str, known: dict[str, BaseModel]) -> BaseModel:
    """Look up ``base`` or ``base,field=value,...`` and apply the changes."""
    base, *changes = str(name).split(",")
    _one_of(what, base, known)
    if not changes:
        return known[base]
    if len(name) > 255:
        raise InputError(f"{what} {name!r}: too long to name a folder, which 255 letters can")
    fields = known[base].model_dump()
    allowed = [field for field in fields if field not in ("title", "backbone", "channels")]
    for change in changes:
        # The changes become part of a folder's name and of a command.
        if not re.fullmatch(r"\w+=[\w.+-]+", change, re.ASCII):
            raise InputError(f"{what} {name!r}: a change is written field=value, not {change!r}")
        field, value = change.split("=")
        _one_of(f"{what} field", field, allowed)
        if [other.split("=")[0] for other in changes].count(field) > 1:
            raise InputError(f"{what} {name!r}: {field} stands twice; give it once")
        fields[field] = _read(value)
    try:
        changed = type(known[base]).model_validate(fields)
    except ValidationError as error:
        raise InputError(f"{what} {name!r}: {first_complaint(error)}") from None
    if isinstance(changed, Experiment):
        changed = changed.model_copy(update={"title": f"{changed.title} ({', '.join(changes)})"})
    return changed


def _read(value: str):
    """As JSON: YAML takes 010 for 8."""
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _one_of(what: str, value, allowed) -> None:
    if value not in list(allowed):
        raise InputError(f"{what} {value!r}: allowed are {', '.join(map(str, allowed))}")


def _fields(model: type[BaseModel]) -> str:
    return ", ".join(field for field in model.model_fields if field != "name")


def first_complaint(error: ValidationError) -> str:
    """The first complaint of a validation, in one line."""
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    where = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        models = {"experiments": Experiment, "runs": Block, "resources": Resources}
        model = models.get(first["loc"][0], Profile)
        return f"{where}: unknown key, allowed are {_fields(model)}"
    said = first["msg"].removeprefix("Value error, ").replace("valid boolean", "boolean, true or false")
    found = "" if first["type"] in ("missing", "value_error") else f" (found {reprlib.repr(first['input'])})"
    return f"{where}: {said}{found}".removeprefix(": ")


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML silently keeps the last."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        twice = [key for i, key in enumerate(keys) if key in keys[:i]]
        if twice:
            raise InputError(f"{twice[0]}: stands twice, line {node.start_mark.line + 1} and after")
        return super().construct_mapping(node, deep)
