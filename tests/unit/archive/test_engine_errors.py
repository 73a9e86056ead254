"""What an engine refuses, in words that lead on."""

from __future__ import annotations

import pytest
from docker.errors import APIError
from requests import Response

from layertrace.archive.engine_errors import engine_errors
from layertrace.errors import EngineError


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("empty export - not implemented", "it saves no image that has no layer"),
        ("no space left on device", ""),
    ],
)
def test_a_refusal_is_quoted_and_explained_where_it_is_known(said: str, hint: str) -> None:
    """Engines up to 20.10 say no more of an image without a layer."""
    answer = Response()
    answer.status_code = 500
    with pytest.raises(EngineError) as caught, engine_errors():
        raise APIError("500 Server Error", response=answer, explanation=said)
    assert (caught.value.what, caught.value.why) == ("the Docker engine refused", said)
    assert caught.value.hint.startswith(hint)
    assert bool(caught.value.hint) is bool(hint)
