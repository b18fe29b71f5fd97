"""What is refused, and in which words."""

import pytest

from binenc.profile import InputError


def refused(call, *words) -> str:
    with pytest.raises(InputError) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said
    assert [word for word in words if word not in said] == [], said
    return said
