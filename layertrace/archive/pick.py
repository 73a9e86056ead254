"""Which image of an archive or layout is meant: by name, digest and platform.

Source: CONTRACT.md, section 1.
"""

from __future__ import annotations

import platform as host
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from layertrace.archive.bare import bare_image
from layertrace.archive.docker_archive import MANIFEST, list_saved, saved_image
from layertrace.archive.forms import Form, form_of
from layertrace.archive.legacy_archive import LegacyImage, is_named, legacy_image, list_legacy
from layertrace.archive.oci_layout import INDEX, list_images, listed_image
from layertrace.errors import ArchiveError, SeveralImagesError, SourceError
from layertrace.model.image import Absence, Platform
from layertrace.model.origin import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layertrace.archive.docker_archive import SavedImage
    from layertrace.archive.folder_store import FolderStore
    from layertrace.archive.oci_layout import ListedImage
    from layertrace.archive.source import Reference
    from layertrace.archive.tar_store import TarStore
    from layertrace.model.image import Image

    Picked = tuple[Image, tuple[Finding, ...]]

_SHOWN_NAMES: Final = 8
_SHORTEST_DIGEST: Final = 7
_SHOWN_ID: Final = 12
_ARCHITECTURES: Final = {
    "x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm", "armel": "arm",
    "armv7l": "arm", "armv6l": "arm", "i386": "386", "i686": "386",
}  # fmt: skip
_USUAL_VARIANTS: Final = {"arm64": "v8", "arm": "v7", "amd64": "v1"}
"""What an architecture means where no variant is given."""


def pick_image(
    store: TarStore | FolderStore, reference: Reference, platform: Platform | None
) -> Picked:
    """Return the image that is meant, and what the user should know of the choice.

    Raises:
        SourceError: none fits, or several do and nothing chooses between them.
        ArchiveError: the store holds no images or damaged ones.
    """
    form = form_of(store, reference.transport)
    if form is Form.LAYOUT:
        image, findings = _pick_listed(store, reference, platform)
        if reference.transport not in {"oci", "oci-archive"} and store.has(MANIFEST):
            image, findings = _settle(store, reference, (image, findings))
    elif form is Form.BARE:
        image, findings = bare_image(store, reference=reference.text)
    else:
        image, findings = _pick_saved(store, reference, form)
    # Of a bare layer the walk tells, but for what came before it.
    damage = store.unpacking if form is Form.BARE else store.damage
    if damage:
        # First: it is the reason of what else is wrong.
        message = f"{damage}; what could be read is shown"
        findings = (Finding(code="archive-damaged", message=message), *findings)
    have = image.config.platform
    if platform is not None and have.architecture and not fits(have, platform):
        raise _no_platform(store.name, platform, [have])
    return image, findings


def normalized(platform: Platform) -> Platform:
    """Return a platform in the words images use.

    Source: containerd, ``platforms/database.go``.
    """
    machine = platform.architecture.lower()
    return replace(
        platform, os=platform.os.lower(), architecture=_ARCHITECTURES.get(machine, machine)
    )


def host_platform() -> Platform:
    """Return Linux on this machine's architecture."""
    return normalized(Platform(os="linux", architecture=host.machine()))


def _pick_saved(store: TarStore | FolderStore, reference: Reference, form: Form) -> Picked:
    everything: tuple[SavedImage | LegacyImage, ...]
    everything = list_legacy(store) if form is Form.LEGACY else list_saved(store)
    saved = [
        one
        for one in everything
        if reference.name is None or is_meant(reference.name, one.tags, one.id)
    ]
    if len(saved) != 1:
        there = {one.id: one.tags for one in everything}
        if form is Form.LEGACY and reference.name is None and store.damage and not is_named(store):
            raise _torn(store, [name for id_, tags in there.items() for name in tags or (id_,)])
        raise _ambiguous(reference, "docker-archive", there, found=len(saved))
    (only,) = saved
    if isinstance(only, LegacyImage):
        return legacy_image(store, only, reference=reference.text)
    return saved_image(store, only, reference=reference.text)


def _settle(store: TarStore | FolderStore, reference: Reference, picked: Picked) -> Picked:
    """Return the image that is there, where ``manifest.json`` names another than ``index.json``.

    An index may list more, of other platforms: what counts is whether the image is among
    those that ``manifest.json`` lists.
    """
    try:
        saved = [saved_image(store, one, reference=reference.text) for one in list_saved(store)]
    except ArchiveError:
        return picked
    blobs = [layer.blob for layer in picked[0].layers]
    if any(blobs == [layer.blob for layer in image.layers] for image, _ in saved):
        return picked
    choice = picked
    if len(saved) == 1 and _missing(saved[0][0]) < _missing(picked[0]):
        choice = saved[0]
    taken = MANIFEST if choice is not picked else INDEX
    return choice[0], (
        *choice[1],
        Finding(
            code="manifests-disagree",
            message=f"{INDEX} and {MANIFEST} name different images: showing that of {taken}",
            facts={"shown": taken},
        ),
    )


def _missing(image: Image) -> int:
    """Count what an image names and the archive does not hold."""
    absent = sum(layer.absence is Absence.MISSING for layer in image.layers)
    return absent + (not image.config.digest)


def _pick_listed(
    store: TarStore | FolderStore, reference: Reference, platform: Platform | None
) -> Picked:
    everything = list_images(store)
    # A layout may name more than it holds: images of other platforms, say.
    stored = [one for one in everything if one.stored] or list(everything)
    listed = [
        one
        for one in stored
        if reference.name is None or is_meant(reference.name, one.names, one.digest)
    ]
    if len({one.digest for one in listed}) == 1:
        # One image listed several times, under a name and without one.
        listed = listed[:1]
    # By the form that it is read as where its name says nothing.
    saved = reference.transport not in {"oci", "oci-archive"} and store.has(MANIFEST)
    transport = "docker-archive" if saved else "oci-archive"
    if not listed or len({one.names for one in listed}) > 1:
        names: dict[str, tuple[str, ...]] = {}
        for one in stored:
            names[one.digest] = (*names.get(one.digest, ()), *one.names)
        raise _ambiguous(reference, transport, names, found=len(listed))
    fitting = _fitting(listed, platform, store.name)
    if len(fitting) > 1 and fitting[0].platform is None:
        raise _ambiguous(reference, transport, {x.digest: () for x in fitting}, found=len(fitting))
    image, found = listed_image(store, fitting[0], reference=reference.text)
    others = sorted({str(x.platform) for x in listed if x is not fitting[0] and x.platform})
    if others:
        there = {str(one.platform): one.platform for one in listed if one.platform is not None}
        image = replace(image, platforms=tuple(there.values()))
    findings: tuple[Finding, ...] = ()
    if others and platform is None:
        findings = (
            Finding(
                code="other-platforms",
                message=f"showing {image.config.platform}; also there: {', '.join(others)} "
                "(choose with --platform)",
                facts={"platforms": others},
            ),
        )
    return image, (*found, *findings)


def _fitting(
    listed: Sequence[ListedImage], wanted: Platform | None, name: str
) -> Sequence[ListedImage]:
    """Return those of the platform that is wanted, else of this machine's, else all."""
    asked = wanted or host_platform()
    fitting = [one for one in listed if one.platform is not None and fits(one.platform, asked)]
    have = [one.platform for one in listed if one.platform is not None]
    if wanted is not None and have and not fitting:
        raise _no_platform(name, wanted, have)
    return fitting or listed


def fits(have: Platform, wanted: Platform) -> bool:
    """Say whether a platform is the one that is wanted; its variant counts where one is named."""
    have, wanted = normalized(have), normalized(wanted)
    if not wanted.variant:
        return replace(have, variant="") == wanted
    usual = _USUAL_VARIANTS.get(have.architecture, "")
    return replace(have, variant=have.variant or usual) == wanted


def is_meant(name: str, references: Iterable[str], digest: str) -> bool:
    """Say whether ``name`` is one of an image's references or begins its digest."""
    if any(_names(own, name) for own in references):
        return True
    hexadecimal = _hexadecimal(digest)
    begin = name.removeprefix("sha256:")
    return len(begin) >= _SHORTEST_DIGEST and hexadecimal.startswith(begin)


def _hexadecimal(digest: str) -> str:
    """Return a digest without what stands around it where it names a file."""
    return digest.rpartition("/")[2].removeprefix("sha256:").removesuffix(".json")


def _names(own: str, wanted: str) -> bool:
    """Say whether ``wanted`` names the reference ``own``, in full or in short.

    >>> _names("docker.io/library/app:1", "app:1"), _names("app:1", "1"), _names("app:1", "2")
    (True, True, False)
    """
    short, asked = _short(own), _short(wanted)
    # The part behind the last colon is a tag, or the rest of a registry's port.
    return asked in {short, short.rpartition(":")[2], short.rpartition(":")[0]}


def _short(reference: str) -> str:
    return reference.removeprefix("docker.io/").removeprefix("library/")


def _torn(store: TarStore | FolderStore, tops: Sequence[str]) -> SourceError:
    """Return the error that layers are missing which would say what image the others are of."""
    return SourceError(
        f"{store.name} is not whole: which of its layers make an image is not known",
        why=f"{store.damage}; {len(tops)} layers are there that no other is made from",
        hint=f"save the image again, or see what is below one: docker-archive:{store.name}:"
        f"{tops[0][:_SHOWN_ID]}",
    )


def _ambiguous(
    reference: Reference, transport: str, there: Mapping[str, Sequence[str]], *, found: int
) -> SourceError:
    """Return the error that none is meant or several are.

    Args:
        reference: what was asked for.
        transport: under which one of them can be named.
        there: ids and digests of all, with their names.
        found: how many are meant.
    """
    times = Counter(name for names in there.values() for name in names)
    names = list(dict.fromkeys(name for id_, each in there.items() for name in each or (id_,)))
    more = len(names) - _SHOWN_NAMES
    shown = ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
    if not names:
        return SourceError(f"{reference.target} holds no image")
    if not found:
        return SourceError(
            f"{reference.target} has no image {reference.name}", why=f"it has {shown}"
        )
    spelled = f"{transport}:{reference.target}"
    choices = [
        # A name of several tells none of them apart.
        next((name for name in each if times[name] == 1), _hexadecimal(id_))
        for id_, each in there.items()
    ]
    return SeveralImagesError(
        f"{reference.target} holds {len(names)} images: {shown}",
        hint=f"name one: {spelled}:NAME",
        asked=reference.text,
        # What came in a pipe cannot be read again.
        choices=()
        if reference.transport == "stdin"
        else tuple((name, f"{spelled}:{name}") for name in choices),
    )


def _no_platform(name: str, wanted: Platform, have: Iterable[Platform]) -> SourceError:
    there = ", ".join(sorted({str(platform) for platform in have}))
    return SourceError(f"{name} has no image for {wanted}", why=f"it has {there}")
