"""The sample image that comes with layertrace."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from layertrace.errors import SourceError

SAMPLE: Final = "tiny-app/multistage.tar.xz"


def sample_path() -> Path:
    """Return where the sample archive is: in the package, or in a checkout beside it.

    Raises:
        SourceError: the installation lacks it.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "samples", package.parent / "sample_images"):
        if (folder / SAMPLE).is_file():
            return folder / SAMPLE
    raise SourceError("the sample image is not installed", hint="install layertrace from a wheel")
