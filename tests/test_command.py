"""How a command ends: in one line where a user can mend it, else with all that helps to find the fault."""

import errno
import shutil

import pytest

from binenc.commands import command
from binenc.profile import InputError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("seed -1: allowed are from 0 to 5"), "seed -1: allowed are from 0 to 5\n"),
        (OSError(errno.EROFS, "Read-only file system", "results/x"), "results/x: Read-only file system\n"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk: No space left on device\n"),
        (
            shutil.Error([("a", "b", "[Errno 28] No space: 'b'"), ("c", "d", "e")]),
            "[Errno 28] No space: 'b'\n",
        ),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_exit_code_2(error, said, capsys):
    def fail():
        raise error

    with pytest.raises(SystemExit) as ended:
        command(fail)
    assert ended.value.code == 2
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "No such file", "x"), KeyError("x")])
def test_a_fault_of_ours_keeps_its_traceback(error):
    def fail():
        raise error

    with pytest.raises(type(error)):
        command(fail)
