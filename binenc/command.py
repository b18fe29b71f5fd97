"""How a command ends."""

import sys
from collections.abc import Callable

from binenc.profile import InputError


def command(main: Callable[[], None]) -> None:
    """Call it; what a user asked for wrongly is told in one line, with the exit code 2."""
    try:
        main()
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
