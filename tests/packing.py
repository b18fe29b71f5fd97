"""What is in an exported file, changed on the way."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from binenc.commands import exchange
from binenc.profile import InputError


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def repack(source: Path, change) -> Path:
    """The file with its members changed: ``change`` gets a dict of (TarInfo, content) by name."""
    with tarfile.open(source) as opened:
        members = {m.name: (m, opened.extractfile(m).read()) for m in opened}
    change(members)
    target = source.with_name("changed.tar")
    with tarfile.open(target, "w") as opened:
        for member, content in members.values():
            member.size = len(content) if member.isreg() else 0
            opened.addfile(member, io.BytesIO(content))
    return target


def refused(source: Path, here: Path) -> str:
    """The one line that says why a file is refused, after which nothing is there."""
    with pytest.raises(InputError) as error:
        exchange.add(source)
    assert files(here) == {}
    assert "\n" not in str(error.value)
    assert str(source) in str(error.value)
    assert str(error.value).endswith("nothing was added")
    return str(error.value)


def rewrite(members: dict, run_id: str, **changes) -> None:
    """Change run.json of a record, and the list with it, as someone does who knows the format."""
    name = f"smoke/{run_id}/run.json"
    content = json.dumps(json.loads(members[name][1]) | changes).encode()
    members[name] = (members[name][0], content)
    listed = json.loads(members[exchange.LIST][1])
    listed["runs"][run_id] = exchange.hashlib.sha256(content).hexdigest()
    members[exchange.LIST] = (members[exchange.LIST][0], json.dumps(listed).encode())
