"""What `make` calls beside the pipeline: estimate, exchange and verify; and how a command ends."""

import errno
import shutil
import sys
from collections.abc import Callable

from binenc.profile import InputError

NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)


def command(main: Callable[[], None]) -> None:
    """Call it; what was asked for wrongly, or cannot be written, is told in a line, with exit code 2."""
    try:
        main()
    except InputError as error:
        sys.exit(_told(error))
    except shutil.Error as error:  # of a folder that is copied; its first reason
        sys.exit(_told(error.args[0][0][-1]))
    except OSError as error:
        if error.errno not in NOT_WRITABLE:
            raise
        sys.exit(_told(f"{error.filename or 'disk'}: {error.strerror}"))


def _told(error: object) -> int:
    print(error, file=sys.stderr)
    return 2
