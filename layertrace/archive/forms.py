"""What an archive or folder is: told by what is in it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from layertrace.archive.decode import read_json
from layertrace.archive.docker_archive import MANIFEST, lists_saved
from layertrace.archive.legacy_archive import REPOSITORIES, is_legacy
from layertrace.archive.oci_layout import INDEX
from layertrace.archive.tar_store import TarStore
from layertrace.errors import ArchiveError

if TYPE_CHECKING:
    from layertrace.archive.folder_store import FolderStore


class Form(Enum):
    """How an image is stored."""

    LAYOUT = "index.json"
    SAVED = "manifest.json"
    LEGACY = "repositories"
    BARE = "tar"


def form_of(store: TarStore | FolderStore, transport: str) -> Form:
    """Return what a store is, as which it was called or by what is in it.

    Raises:
        ArchiveError: it holds no image.
    """
    if transport in {"oci", "oci-archive"}:
        if not store.has(INDEX):
            raise _no_file(store, f"{store.name} has no {INDEX}: it is not an OCI image layout")
        return Form.LAYOUT
    if transport == "docker-archive":
        form = _saved_form(store)
    elif store.looks_like_image or _is_nothing_else(store):
        form = Form.LAYOUT if store.has(INDEX) else _saved_form(store)
    else:
        # A file system may hold any name: these have to be what they are called.
        form = _read_form(store)
    if form is None:
        raise _no_file(
            store, f"{store.name} is not an image archive: it has no {MANIFEST} and no {INDEX}"
        )
    return form


def _is_nothing_else(store: TarStore | FolderStore) -> bool:
    """Say whether a tar has no file but one that an image's archive has."""
    return len(store.names()) == 1 and (store.has(MANIFEST) or store.has(INDEX))


def _saved_form(store: TarStore | FolderStore) -> Form | None:
    if store.has(MANIFEST):
        return Form.SAVED
    return Form.LEGACY if is_legacy(store) or store.has(REPOSITORIES) else None


def _read_form(store: TarStore | FolderStore) -> Form:
    try:
        if store.has(INDEX) and _is_index(store):
            return Form.LAYOUT
        if store.has(MANIFEST) and lists_saved(store):
            return Form.SAVED
    except ArchiveError:
        return Form.BARE
    return Form.BARE


def _is_index(store: TarStore | FolderStore) -> bool:
    root = read_json(store, INDEX)
    return isinstance(root.get("manifests").value, list)


def _no_file(store: TarStore | FolderStore, what: str) -> ArchiveError:
    if isinstance(store, TarStore) and store.damage:
        if not (store.has(MANIFEST) or store.has(INDEX)):
            # It stands last as a rule: of an archive that is cut off nothing else need be wrong.
            what = f"{store.name} has no list of its images: no {MANIFEST} and no {INDEX}"
        whole = sum(map(store.is_whole, store.names()))
        why = f"{store.damage}; files in it that are whole: {whole:,}"
        return ArchiveError(what, why=why, hint="save or copy the image again")
    names = store.names()[:4]
    why = f"it holds {', '.join(names)} …" if names else "it holds no files"
    return ArchiveError(what, why=why, hint="make one with docker save, or layertrace export")
