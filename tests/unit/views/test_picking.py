"""What can be opened: which images were opened before, and what lies at hand."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from layertrace.errors import EngineError
from layertrace.views.picking.offers import MOST, Kind, Offer, engine_offers, offers_here
from layertrace.views.picking.recent import MOST as MOST_RECENT
from layertrace.views.picking.recent import forget, load_recent, remember
from layertrace.views.picking.rows import Offers, list_offers
from tests.builders import image, layer
from tests.fake_engine import FakeEngine, serving

if TYPE_CHECKING:
    from pathlib import Path


def _references(folder: Path) -> list[str]:
    return [offer.reference for offer in load_recent(folder)]


def test_the_latest_comes_first_and_the_oldest_goes(tmp_path: Path) -> None:
    """An image opened again moves up; the list has an end."""
    folder = tmp_path / "new" / "cache"
    for number in range(MOST_RECENT + 5):
        remember(folder, f"docker-daemon:app:{number}", number)
    remember(folder, "docker-daemon:app:10", 99)
    kept = load_recent(folder)
    assert len(kept) == MOST_RECENT
    assert [kept[0].reference, kept[1].reference] == [
        "docker-daemon:app:10", f"docker-daemon:app:{MOST_RECENT + 4}",
    ]  # fmt: skip
    assert kept[0].time == 99
    # The file is the user's alone, and nothing half-written is left beside it.
    assert [path.name for path in folder.iterdir()] == ["recent.json"]
    assert (folder / "recent.json").stat().st_mode & 0o077 == 0
    forget(folder)
    forget(folder)
    assert load_recent(folder) == ()


def test_a_file_is_found_again_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What names a file is kept in full, whatever it is called; stdin is not kept."""
    monkeypatch.chdir(tmp_path)
    odd = "caf\udce9\x1b.tar"
    (tmp_path / odd).write_bytes(b"")
    for reference in ("-", "oci:layout:v1", odd, "shop:1", "x" * 5000):
        remember(tmp_path, reference, 1)
    assert _references(tmp_path) == ["shop:1", f"{tmp_path}/{odd}", f"oci:{tmp_path}/layout:v1"]


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\xff", b"[" * 100_000, b"3", b'{"images": 3}',
        b'{"images": [3, {}, {"image": 3}, {"image": ""}, {"image": "a\\u0000"}]}',
        b" " * (1 << 21),
    ],
)  # fmt: skip
def test_a_list_that_is_none_is_passed_over(tmp_path: Path, text: bytes) -> None:
    """And written anew."""
    (tmp_path / "recent.json").write_bytes(text)
    assert load_recent(tmp_path) == ()
    remember(tmp_path, "app", 1)
    assert _references(tmp_path) == ["app"]


def test_strange_times_are_none(tmp_path: Path) -> None:
    """They reach no clock."""
    rows = [{"image": str(n), "opened": t} for n, t in enumerate(("x", -1, 1e300, None))]
    (tmp_path / "recent.json").write_text(json.dumps({"images": rows}))
    assert [offer.time for offer in load_recent(tmp_path)] == [0, 0, 0, 0]
    offers = Offers(of={Kind.RECENT: load_recent(tmp_path)}, notes={})
    assert list_offers(offers)[0].row(1).fields[1].text == ""


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    remember(tmp_path / "file", "app", 1)
    assert load_recent(tmp_path / "file") == ()


def test_archives_and_layouts_of_a_folder_are_offered(tmp_path: Path) -> None:
    """By name, with sizes; nothing is looked into, and no name is taken for a transport."""
    for name in ("b.tar", "A.TAR.GZ", "oci:x.tar", "c.tar.xz", "d.tar.zst", "e.oci", "notes.txt"):
        (tmp_path / name).write_bytes(b"x" * 7)
    (tmp_path / "folder.tar").mkdir()
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout" / "oci-layout").write_text("{}")
    (tmp_path / "gone.tar").symlink_to(tmp_path / "nowhere")
    found = offers_here(tmp_path)
    assert [offer.reference for offer in found] == [
        "./A.TAR.GZ", "./b.tar", "./c.tar.xz", "./d.tar.zst", "./e.oci", "./layout", "./oci:x.tar",
    ]  # fmt: skip
    assert {offer.size for offer in found} == {7, None}
    assert offers_here(tmp_path / "none") == ()


def test_a_folder_of_very_many_archives_has_an_end(tmp_path: Path) -> None:
    """Nobody picks from more."""
    for number in range(MOST + 1):
        (tmp_path / f"{number:05}.tar").touch()
    assert len(offers_here(tmp_path)) == MOST


def test_images_of_the_engine_are_offered_by_name_and_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each name is one; an image without has the start of its id."""
    engine = FakeEngine()
    named = image(layer({"a": b"a"}), tags=("app:1", "app:2"))
    engine.add(named)
    bare = engine.add(image(layer({"b": b"b"}), tags=()))
    socket = tmp_path / "s"
    with serving(engine, socket):
        monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
        found = engine_offers()
    assert {offer.reference for offer in found} == {
        "docker-daemon:app:1", "docker-daemon:app:2", f"docker-daemon:{bare}",
    }  # fmt: skip
    assert bare.removeprefix("sha256:")[:12] in {offer.name for offer in found}


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_without_an_engine_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an error that a row can word."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(EngineError) as caught:
        engine_offers()
    # The SDK leaves a socket open; it has to go while warnings of it are ignored.
    del caught
    gc.collect()


def test_what_is_typed_narrows_the_groups() -> None:
    """A group of which nothing is left goes; the lines still name their offers."""
    offers = tuple(Offer(kind=Kind.ENGINE, reference=f"r{n}", name=f"App {n}") for n in range(3))
    everything = Offers(of={Kind.RECENT: (), Kind.FOLDER: None, Kind.ENGINE: offers}, notes={})
    listing, lines = list_offers(everything)
    heads = [listing.row(n).fields[-1].text for n in range(3)]
    assert heads == [
        "Opened before: none", "Archives and layouts in this folder: looking…",
        "Images of the Docker engine",
    ]  # fmt: skip
    assert lines == [None, None, None, *offers]
    told = replace(
        everything, of={Kind.ENGINE: ()}, notes={Kind.ENGINE: "gone"}, steps={Kind.ENGINE: "start"}
    )
    listing, lines = list_offers(told)
    assert [listing.row(n).fields[-1].text for n in range(2)] == [
        "Images of the Docker engine: gone", "→ start",
    ]  # fmt: skip
    assert (lines, list_offers(told, "x")[1]) == ([None, None], [])
    listing, lines = list_offers(everything, "app 2")
    assert lines == [None, offers[2]]
    assert [listing.row(n).path for n in range(2)] == [None, "r2"]
