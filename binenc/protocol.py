"""The two ways to read the paper: as written, and as released with it.

Every difference is one field, so that each can be switched alone:
``as_written,softmax_twice=true`` is the text's protocol with that one choice of the released code.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Protocol(BaseModel):
    """How a network is trained and measured where the paper's text and its code differ."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    softmax_twice: bool
    """Feed softmax(f(x)), not f(x), to a cross-entropy that applies a softmax of its own."""
    dropout: Literal["every_epoch", "first_epoch"]
    """Epochs in which dropout acts."""
    learning_rate: Literal["halved", "constant"]
    """Whether the learning rate is halved after every ``halve_every`` epochs."""
    loss_bin: Literal["exp_of_mean", "mean_of_exp", "exp_of_norm", "mean_square"]
    """How exp(x²) becomes a number: exp of the mean, mean of the exp, exp of the norm. A control: 1 + x²."""
    cnn_dense_layers: Literal[2, 3]
    """Fully connected layers of the CNN backbone; dropout follows the first two."""
    class_of_point: Literal["label", "prediction"]
    """What decides the class of a point in the class-wise metrics."""
    max_angle_pairs: Literal["distinct", "with_self"]
    """Pairs of classes that enter 'max angle': i < j, or i <= j."""
    between_class: Literal["papyan", "sample"]
    """Between-class covariance: divided by C (Papyan et al. 2020) or by C − 1."""


AS_WRITTEN = Protocol(
    softmax_twice=False,
    dropout="every_epoch",
    learning_rate="halved",
    loss_bin="exp_of_mean",
    cnn_dense_layers=2,
    class_of_point="label",
    max_angle_pairs="distinct",
    between_class="papyan",
)

AS_RELEASED = Protocol(
    softmax_twice=True,
    dropout="first_epoch",
    learning_rate="constant",
    loss_bin="exp_of_mean",
    cnn_dense_layers=3,
    class_of_point="prediction",
    max_angle_pairs="with_self",
    between_class="sample",
)

PROTOCOLS = {"as_written": AS_WRITTEN, "as_released": AS_RELEASED}


def in_words(protocol: str) -> str:
    """``as_written,dropout=first_epoch`` as a reader would say it."""
    base, *changes = protocol.split(",")
    return base.replace("_", " ") + (f" but {', '.join(changes)}" if changes else "")
