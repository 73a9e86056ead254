"""Which image is a stage: by its history at first, by what was copied from it at last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.model.image import HistoryEntry
from layertrace.provenance.copyhash import Owners
from layertrace.provenance.stages.kept import (
    carried_from,
    fit,
    fitting_ends,
    is_proof,
    is_whole,
    made_at,
)
from tests.builders import file, folder, hardlink, symlink
from tests.kept_builds import NOP, copied
from tests.tracing import MemoryContents, image_config, traced_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layertrace.provenance.hops import TracedImage
    from layertrace.provenance.stages.kept import Carried, Fit
    from layertrace.rootfs.places import Place
    from tests.builders import Content
    from tests.tracing import Steps

DOCKERFILE: Final = """\
FROM base AS build
WORKDIR app
ONBUILD RUN more
RUN make
ENV A=1
FROM scratch
COPY --from=build /out /out
COPY --from=build /one /one
"""
BUILD: Final = parse_build(DOCKERFILE)
OWN: Final = [
    f"{NOP} WORKDIR /srv/app",
    f"{NOP}  ONBUILD RUN more",
    "/bin/sh -c make",
    f"{NOP}  ENV A=1",
]


def ends(history: Sequence[str], dockerfile: str = DOCKERFILE, *, classic: bool = True) -> set[int]:
    """Return after which entries stage ``build`` may have ended."""
    entries = [HistoryEntry(created_by=text) for text in history]
    return set(fitting_ends(entries, parse_build(dockerfile), 0, classic=classic))


def test_history_that_ends_with_a_stages_instructions_fits() -> None:
    """Wherever in a longer one that is, and not where anything differs."""
    assert ends(["ADD base", *OWN]) == {5}
    assert ends(["ADD base", *OWN, "/bin/sh -c next", "ADD x", *OWN]) == {5, 11}
    assert ends(["ADD base", *OWN[:2], "/bin/sh -c other", OWN[3]]) == set()
    assert ends(["ADD base", *OWN[1:]]) == set()


def test_builder_may_record_no_trigger_instruction() -> None:
    """BuildKit leaves ONBUILD out."""
    steps = ["WORKDIR /app", "RUN /bin/sh -c make # buildkit", "ENV A=1"]
    assert ends(["ADD base", *steps], classic=False) == {4}


def test_stage_is_the_work_of_the_same_builder() -> None:
    """The classic builder copies from no image that BuildKit made, nor the other way round."""
    steps = ["WORKDIR /app", "RUN /bin/sh -c make # buildkit", "ENV A=1"]
    assert ends(["ADD base", *steps]) == set()
    assert ends(["ADD base", *OWN], classic=False) == set()


def test_base_is_there_unless_it_is_scratch() -> None:
    """A stage of nothing has its own instructions alone; any other has something below."""
    assert ends(OWN) == set()
    scratch = DOCKERFILE.replace("FROM base", "FROM scratch", 1)
    own = [f"{NOP} WORKDIR /app", *OWN[1:]]
    assert ends(own, scratch) == {4}
    assert ends(["ADD base", *own], scratch) == set()


@pytest.mark.parametrize("layer", [0, 1])
def test_time_of_a_layer_is_not_known_where_the_history_does_not_tell(layer: int) -> None:
    """No entry for it, or none with a time."""
    assert made_at(image_config([("RUN x", {})]), layer) is None


# --- what was copied

STAGE: Final[Mapping[str, Content]] = {
    "out": folder(),
    "out/app": file(b"app", mtime=5),
    "out/also": hardlink("out/app"),
    "out/link": symlink("app"),
    "out/none": b"",
    "one": file(b"one", mtime=5),
}
COPIED: Final[Mapping[str, Content]] = {
    "out": folder(),
    **{path: content for path, content in STAGE.items() if path.startswith("out/")},
}
BUILDKIT: Final = ("COPY /out /out # buildkit", "COPY /one /one # buildkit")
CLASSIC: Final = (f"{NOP} COPY dir:{'0' * 64} in /out ", copied("one", b"one", "/one"))
ROOT: Final = Owners(users={0: "root"}, groups={0: "root"})


class CountedContents(MemoryContents["Place"]):
    """Contents that tell how often they were read."""

    reads = 0

    def sums(self, headers: Mapping[Place, Sequence[bytes]]) -> Mapping[Place, Sequence[str]]:
        """Return the sums."""
        self.reads += 1
        return super().sums(headers)


def stage(changes: Mapping[str, Content] | None = None) -> TracedImage:
    """Return an image of stage ``build``, some files other than :data:`STAGE`."""
    content = {**STAGE, **(changes or {})}
    return traced_image([("ADD base", {"x": b"x"}), ("/bin/sh -c make", content)], name="build")


def carry(
    texts: tuple[str, str] = CLASSIC, steps: Sequence[Mapping[str, Content]] | None = None
) -> tuple[tuple[Carried, ...], CountedContents]:
    """Return what the final image copied from the stage, and its contents."""
    layers = steps or (COPIED, {"one": STAGE["one"]})
    made: Steps = list(zip(texts, layers, strict=True))
    final = traced_image(made, BUILD)
    assert final.alignment.exact

    def content_of(place: Place) -> bytes:
        # Every file here that has contents holds its own name.
        index = final.tree.rootfs.layers[place.layer]
        return index.paths[place.number].rpartition("/")[2].encode()

    contents = CountedContents(content_of)
    return carried_from(final, contents, image_config(made), 0), contents


def judged(image: TracedImage, carried: tuple[Carried, ...]) -> tuple[Fit | None, bool, bool]:
    """Return how well one image fits, whether that proves it, and whether it ends the search."""
    (found,) = fit([image], carried, ROOT)
    if found is None:
        return None, False, False
    return found, is_proof(found, carried), is_whole(found, carried)


def test_hash_that_recomputes_proves_an_image() -> None:
    """One is proof; only all of them end the search."""
    carried, contents = carry()

    found, proof, whole = judged(stage(), carried)

    assert found is not None
    assert found.proven == (carried[1].step,)
    assert (found.same, proof, whole) == (True, True, False)
    assert contents.reads == 1


def test_contents_are_read_once_for_all_images_and_only_where_they_may_be_it() -> None:
    """Of an image with other contents no file need be hashed."""
    carried, contents = carry()

    other, first, second = fit(
        [stage({"one": b"other"}), stage(), stage({"one": file(b"one", mtime=9)})], carried, ROOT
    )

    assert other is None
    assert first is not None
    assert second is not None
    assert (first.same, second.same) == (True, False)
    assert contents.reads == 1
    assert fit([stage({"one": b"other"})], carried, ROOT) == (None,)
    assert contents.reads == 1


def test_image_without_what_was_copied_is_another() -> None:
    """Where there is no hash to tell: another content, or nothing there at all."""
    carried, _ = carry(BUILDKIT)

    assert judged(stage({"out/app": b"apq"}), carried)[0] is None
    without = {path: each for path, each in STAGE.items() if path != "one"}
    image = traced_image([("ADD base", {"x": b"x"}), ("/bin/sh -c make", without)], name="build")
    assert judged(image, carried)[0] is None


def test_without_hashes_the_times_must_agree_too() -> None:
    """The same contents may be another build's."""
    carried, contents = carry(BUILDKIT)

    assert judged(stage(), carried)[1:] == (True, True)
    assert judged(stage({"one": file(b"one", mtime=9)}), carried)[1:] == (False, False)
    assert contents.reads == 0


@pytest.mark.parametrize("texts", [BUILDKIT, (CLASSIC[0], copied("one", b"", "/one"))])
def test_empty_files_prove_nothing(texts: tuple[str, str]) -> None:
    """Every build has them alike."""
    empty = {"one": file(b"", mtime=5), "out/app": file(b"", mtime=5)}
    carried, contents = carry(
        texts, ({**COPIED, "out/app": empty["out/app"]}, {"one": empty["one"]})
    )

    assert judged(stage(empty), carried)[1] is False
    assert contents.reads == 0


def test_hash_that_does_not_recompute_is_no_proof() -> None:
    """The contents are there, under other modes."""
    carried, _ = carry()

    found, proof, _ = judged(stage({"one": file(b"one", mode=0o600, mtime=5)}), carried)

    assert found is not None
    assert (found.proven, proof) == ((), False)


def test_places_tell_where_a_stage_has_what_was_copied() -> None:
    """Layer by layer; -1 for what no entry made."""
    carried, _ = carry(BUILDKIT)

    found = judged(stage(), carried)[0]

    assert found is not None
    assert set(found.places) == {1}
