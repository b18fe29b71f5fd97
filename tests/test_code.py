"""Code of the package, as the chapters show it."""

import pytest

from binenc import loss, models
from binenc.figures.curves import curves
from binenc.text import code as shown


@pytest.mark.parametrize(
    "function", [models.Classifier, models.mlp, loss.binary_loss, loss.total_loss, curves]
)
def test_annotated_shows_equation_and_code_but_the_docstring_once(function):
    text = shown.annotated(function)
    words, code = text.split("```python\n")
    assert ":math:" not in text
    assert '"""' not in code
    assert function.__name__ in words
    assert compile(code.removesuffix("```"), "code", "exec")
    if function is loss.binary_loss:
        assert r"$\exp(\frac{1}{nd}" in words
        assert "READINGS[reading](latents)" in code


def test_a_constant_shows_what_it_is_and_its_code():
    words, code = shown.constant(loss, "READINGS").split("```python\n")
    assert words.startswith("`READINGS` in `binenc/loss.py`: How the loss")
    assert "x.square().mean().exp()" in code
    assert list(eval(code.removesuffix("```").partition("=")[2])) == list(loss.READINGS)
