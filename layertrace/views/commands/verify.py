"""``verify``: is every stored byte what the image says?"""

from __future__ import annotations

from typing import Any, Final

import click

from layertrace.views.options import json_option, reading_options, take_reading
from layertrace.views.output import print_lines, print_notes, write_json

_FINDING: Final = 1


@click.command()
@reading_options
@json_option
def verify(*, as_json: bool, **values: Any) -> int:  # noqa: ANN401
    """Read every byte of IMAGE and check every size, digest and diff_id.

    Of an archive with several images all are checked, unless a name or
    --platform chooses. Exits 1 where anything is not what the image says.
    """
    from layertrace.pipeline.verification.verify import verify_image  # noqa: PLC0415
    from layertrace.pipeline.watch import Watcher  # noqa: PLC0415
    from layertrace.views.progress import checking  # noqa: PLC0415
    from layertrace.views.verification import verification_json, verification_lines  # noqa: PLC0415

    reading = take_reading(values)
    hints = reading.hints()
    with checking() as progress:
        found = verify_image(
            reading.image,
            platform=hints.platform,
            watcher=Watcher(progress, _never),
            limits=hints.limits,
        )
    if as_json:
        from layertrace.views.encode import to_text  # noqa: PLC0415

        write_json(f"{to_text(verification_json(found))}\n")
    else:
        from layertrace.views.tables import stdout_width  # noqa: PLC0415

        print_notes(found.notes)
        print_lines(verification_lines(found, width=stdout_width()))
    return 0 if found.ok else _FINDING


def _never() -> bool:
    return False
