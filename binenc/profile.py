"""Profiles say what to run: read, validated, and enumerated as runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from binenc.protocol import PROTOCOLS, Protocol

ROOT = Path(__file__).resolve().parent.parent
PROFILES = ROOT / "profiles"

ARCHITECTURES = {
    "binary_encoding": "Binary encoding",
    "linear_penultimate": "Linear penultimate",
    "nonlinear_penultimate": "Non-linear penultimate",
    "no_penultimate": "No penultimate",
}


class InputError(ValueError):
    """What a user asked for cannot be done; the message says what is allowed."""


class Strictly(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Experiment(Strictly):
    """A dataset with its backbone and hyperparameters (Appendix A)."""

    title: str
    dataset: Literal["mnist", "fashion_mnist", "digits"]
    backbone: Literal["mlp", "cnn"]
    width: int = Field(gt=0)
    """Nodes of each fully connected layer of the backbone, so the dimension of h(x)."""
    channels: list[int] = []
    """Output channels of the five convolutional layers (cnn only)."""
    penultimate: int = Field(gt=0)
    """Dimension d of the penultimate layer."""
    dropout_rate: float = Field(ge=0, lt=1)
    batch_size: int = Field(gt=0)
    learning_rate: Annotated[float, Strict(False)] = Field(gt=0)
    halve_every: int = Field(gt=0)
    """Epochs after which the learning rate is halved, where the protocol halves it."""
    gamma: float = Field(ge=0)
    """Weight of the binary-encoding loss in Eq. 1."""
    epochs: int = Field(gt=0)
    evaluate_every: int = Field(gt=0)
    """The state after epoch 0, this many epochs later, and so on, and after the last, is measured."""
    precision: Literal["float32", "tf32", "bf16"] = "float32"

    @property
    def evaluated(self) -> list[int]:
        """Epochs after which the network is measured."""
        return sorted({*range(0, self.epochs, self.evaluate_every), self.epochs - 1})


class Block(Strictly):
    """A full grid of runs."""

    experiments: list[str]
    protocols: list[str]
    architectures: list[str] = list(ARCHITECTURES)
    seeds: list[int]


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
    def id(self) -> str:
        """Name and folder of the run."""
        return f"{self.experiment_name}/{self.protocol_name}/{self.architecture}/seed-{self.seed}"

    @property
    def title(self) -> str:
        protocol, *changes = self.protocol_name.split(",")
        but = f" but {', '.join(changes)}" if changes else ""
        return (
            f"{self.experiment.title}, {protocol.replace('_', ' ')}{but}: "
            f"{ARCHITECTURES[self.architecture]}, seed {self.seed}"
        )

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

    name: str
    title: str
    about: str
    recorded: bool = False
    """Records are kept when the package changes: they were made once, on a larger machine."""
    experiments: dict[str, Experiment]
    runs: list[Block]

    @classmethod
    def read(cls, name: str) -> "Profile":
        """Read ``profiles/<name>.yml``.

        Raises
        ------
        InputError
            If there is no such profile, or it has an unknown key or an ill-typed value.
        """
        path = PROFILES / f"{name}.yml"
        known = sorted(p.stem for p in PROFILES.glob("*.yml"))
        _one_of("profile", name, known)
        try:
            content = yaml.safe_load(path.read_text())
            profile = cls.model_validate({"name": name} | content, strict=True)
        except (ValidationError, yaml.YAMLError, TypeError) as error:
            raise InputError(f"profiles/{name}.yml: {_first(error)}") from None
        profile.all_runs()
        return profile

    def run(self, experiment: str, protocol: str, architecture: str, seed: int) -> Run:
        """The run of these names; ``name,field=value`` changes one field of an experiment or protocol.

        Raises
        ------
        InputError
            If a name or a changed field is unknown or ill-typed, or the seed is negative.
        """
        _one_of("architecture", architecture, ARCHITECTURES)
        if type(seed) is not int or seed < 0:
            raise InputError(f"seed {seed!r}: allowed are the integers 0, 1, 2, ...")
        return Run(
            experiment,
            protocol,
            architecture,
            seed,
            _changed("experiment", experiment, self.experiments),
            _changed("protocol", protocol, PROTOCOLS),
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


def _changed(what: str, name: str, known: dict[str, BaseModel]) -> BaseModel:
    """Look up ``base`` or ``base,field=value,...`` and apply the changes."""
    base, *changes = str(name).split(",")
    _one_of(what, base, known)
    original = known[base]
    fields = original.model_dump()
    for change in changes:
        field, _, value = change.partition("=")
        _one_of(f"{what} field", field, fields)
        fields[field] = yaml.safe_load(value)
    try:
        changed = type(original).model_validate(fields)
    except ValidationError as error:
        raise InputError(f"{what} {name!r}: {_first(error)}") from None
    if changes and isinstance(changed, Experiment):
        changed = changed.model_copy(update={"title": f"{changed.title} ({', '.join(changes)})"})
    return changed


def _one_of(what: str, value, allowed) -> None:
    if value not in list(allowed):
        raise InputError(f"{what} {value!r}: allowed are {', '.join(map(str, allowed))}")


def _first(error: Exception) -> str:
    """The first complaint of a validation, in one line."""
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    found = "" if first["type"] == "missing" else f" (found {first['input']!r})"
    return f"{where}: {first['msg']}{found}"
