"""Rules about how a container of the image runs."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.kinds import Verdict
from layertrace.analysis.audit.subject import of_image
from layertrace.errors import LayertraceError

if TYPE_CHECKING:
    from layertrace.analysis.audit.policy import Setting
    from layertrace.analysis.audit.subject import Subject
    from layertrace.model.audit import Match

_PASSWD: Final = "etc/passwd"  # noqa: S105 - no password
_PIECES: Final = 16
"""Of the users' file as many are read; a person's is one."""


def judge_root(subject: Subject, _: Setting) -> Verdict:
    """Ask whether containers run as root unless told otherwise."""
    config = subject.head.image.config
    if config.platform.os == "windows":
        return Verdict(skipped="an image for Windows has no root")
    # Source: OCI image-spec, config.md, "User": user, uid, user:group, uid:gid and so on.
    user = config.user.partition(":")[0]
    if not user:
        return Verdict(matches=(_at_user(subject, "no USER is set, so it runs as root"),))
    if user == "root" or (user.isdecimal() and not int(user)):
        return Verdict(matches=(_at_user(subject, f"USER is {config.user}"),))
    if not user.isdecimal() and _is_zero(subject, user):
        return Verdict(matches=(_at_user(subject, f"USER is {config.user}, which has uid 0"),))
    return Verdict()


def _is_zero(subject: Subject, name: str) -> bool:
    try:
        pieces = subject.trace.read(subject.trace.follow(_PASSWD))
        data = b"".join(islice(pieces, _PIECES))
    except LayertraceError:
        # Without a list of users nobody has that name, and no container starts.
        return False
    users = (line.split(":") for line in data.decode(errors="replace").splitlines())
    return any(user[0] == name and user[2:3] == ["0"] for user in users)


def _at_user(subject: Subject, detail: str) -> Match:
    """Return a match at the last USER of the target, or at its FROM where there is none."""
    build = subject.build
    if build is None:
        return of_image(detail)
    stage = build.stages[build.target]
    chain = [step for each in build.chain(build.target) for step in each.instructions]
    users = [step for step in chain if step.keyword == "USER"]
    line, text = (users[-1].line, users[-1].text) if users else (stage.line, stage.text)
    return replace(of_image(detail), stage=stage.name, line=line, instruction=text)
