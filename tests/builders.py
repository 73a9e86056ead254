"""Layers, images and archives in memory, the same bytes every time.

>>> app = image(layer({"etc/hosts": b"x"}), history=["COPY hosts /etc/hosts"])
>>> archive = docker_archive(app)

``docker_files`` and ``oci_files`` give the members one by one, so that a test
can spoil, drop or add some before :func:`layer` makes a tar of them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

BLOCK: Final = 512
CREATED: Final = "2024-02-03T04:05:06Z"
CAPABILITY: Final = "SCHILY.xattr.security.capability"
OCI: Final = "application/vnd.oci.image"
DOCKER: Final = "application/vnd.docker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One tar member but for its name."""

    type: bytes = tarfile.REGTYPE
    content: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: float = 0
    link: str = ""
    device: tuple[int, int] = (0, 0)
    pax: Mapping[str, str] = field(default_factory=dict)
    """PAX records; a layer of another format has none."""
    parts: tuple[tuple[int, int], ...] | None = None
    """Of a sparse file: offset and size of what ``content`` holds."""
    size: int | None = None
    """As the header says, where that is not the length of ``content``."""


Content = bytes | Member
Form = Literal[0, 1, 2]
"""``tarfile.USTAR_FORMAT``, ``GNU_FORMAT`` or ``PAX_FORMAT``."""


def file(  # noqa: PLR0913 - what a file has
    content: bytes = b"",
    *,
    mode: int = 0o644,
    uid: int = 0,
    gid: int = 0,
    mtime: float = 0,
    capability: bytes | None = None,
) -> Member:
    """Return a regular file."""
    shown = (
        {} if capability is None else {CAPABILITY: capability.decode("utf-8", "surrogateescape")}
    )
    return Member(content=content, mode=mode, uid=uid, gid=gid, mtime=mtime, pax=shown)


def folder(mode: int = 0o755, *, uid: int = 0, gid: int = 0, mtime: float = 0) -> Member:
    """Return a directory."""
    return Member(type=tarfile.DIRTYPE, mode=mode, uid=uid, gid=gid, mtime=mtime)


def symlink(target: str) -> Member:
    """Return a symbolic link."""
    return Member(type=tarfile.SYMTYPE, link=target, mode=0o777)


def hardlink(target: str) -> Member:
    """Return a hard link to another member of the layer."""
    return Member(type=tarfile.LNKTYPE, link=target)


def char(major: int, minor: int) -> Member:
    """Return a character device."""
    return Member(type=tarfile.CHRTYPE, device=(major, minor))


def block(major: int, minor: int) -> Member:
    """Return a block device."""
    return Member(type=tarfile.BLKTYPE, device=(major, minor))


def fifo() -> Member:
    """Return a named pipe."""
    return Member(type=tarfile.FIFOTYPE)


def sparse(size: int, parts: Mapping[int, bytes]) -> Member:
    """Return a file of ``size`` bytes, zeros but for ``parts``, in GNU's own sparse form."""
    assert size < 1 << 33, "eleven octal digits hold no more"
    return Member(
        type=tarfile.GNUTYPE_SPARSE,
        content=b"".join(parts.values()),
        parts=tuple((offset, len(part)) for offset, part in parts.items()),
        size=size,
    )


def layer(
    entries: Mapping[str, Content] | Sequence[tuple[str, Content]] = (),
    *,
    form: Form = tarfile.PAX_FORMAT,
    end: bool = True,
) -> bytes:
    """Return a tar; plain bytes are regular files.

    Args:
        entries: by name as it is to be stored; pairs where a name stands twice.
        form: of the headers.
        end: with the two zero blocks that mark the end.
    """
    pairs = entries.items() if isinstance(entries, Mapping) else entries
    members = b"".join(_member(name, content, form) for name, content in pairs)
    return members + bytes(2 * BLOCK if end else 0)


def padded(content: bytes) -> bytes:
    """Return content as a tar stores it, filled up to whole blocks."""
    return content + bytes(-len(content) % BLOCK)


def _member(name: str, content: Content, form: Form) -> bytes:
    member = Member(content=content) if isinstance(content, bytes) else content
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime = member.type, member.mode, member.mtime
    info.uid, info.gid, info.linkname = member.uid, member.gid, member.link
    info.devmajor, info.devminor = member.device
    info.size = len(member.content) if member.size is None else member.size
    info.pax_headers = dict(member.pax)
    if member.parts is not None:
        header = _sparse_header(info, member.parts, stored=len(member.content))
    else:
        header = info.tobuf(form, "utf-8", "surrogateescape")
    return header + padded(member.content)


def _sparse_header(
    info: tarfile.TarInfo, parts: tuple[tuple[int, int], ...], *, stored: int
) -> bytes:
    """Return the header of GNU's old sparse form: four parts in it, 21 in each block after."""
    size, info.size = info.size, stored
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))
    fields = [b"%011o\0%011o\0" % part for part in parts]
    maps = [b"".join(fields[:4]).ljust(96, b"\0") + (b"\1" if fields[4:] else b"\0")]
    for first in range(4, len(fields), 21):
        more = b"\1" if fields[first + 21 :] else b"\0"
        maps.append(b"".join(fields[first : first + 21]).ljust(504, b"\0") + more + bytes(7))
    start = len(header) - BLOCK
    header[start + 386 : start + 495] = maps[0] + b"%011o\0" % size
    return bytes(header[:start]) + checksummed(bytes(header[start:])) + b"".join(maps[1:])


def checksummed(header: bytes) -> bytes:
    """Return one header block with its checksum made right."""
    blank = header[:148] + b" " * 8 + header[156:]
    return bytes(header[:148] + b"%06o\0 " % sum(blank) + header[156:])


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleImage:
    """One image: its layers' tars, base first, and its configuration."""

    layers: tuple[bytes, ...]
    config: bytes
    tags: tuple[str, ...] = ()
    platform: str = "linux/amd64"

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """The digest of each layer's tar."""
        return tuple(sha256(tar) for tar in self.layers)


def step(created_by: str, *, empty: bool = False, comment: str = "") -> dict[str, object]:
    """Return an entry of an image's history."""
    entry: dict[str, object] = {"created": CREATED, "created_by": created_by}
    if comment:
        entry["comment"] = comment
    return entry | ({"empty_layer": True} if empty else {})


def image(
    *layers: bytes,
    history: Sequence[str | dict[str, object]] | None = None,
    tags: Sequence[str] = ("app:1",),
    platform: str = "linux/amd64",
    runtime: Mapping[str, object] | None = None,
) -> SampleImage:
    """Return an image of ``layers``, base first.

    Args:
        layers: their tars.
        history: an entry or its ``created_by`` each; by default one a layer.
        tags: references, ``NAME:TAG``.
        platform: ``OS/ARCH[/VARIANT]``.
        runtime: the configuration's ``config``: ``Env``, ``WorkingDir``, …
    """
    words = dict(zip(("os", "architecture", "variant"), platform.split("/"), strict=False))
    steps = [f"layer {number}" for number in range(len(layers))] if history is None else history
    config = {
        **words,
        "created": CREATED,
        "config": dict(runtime or {}),
        "rootfs": {"type": "layers", "diff_ids": [sha256(tar) for tar in layers]},
        "history": [step(entry) if isinstance(entry, str) else entry for entry in steps],
    }
    return SampleImage(layers=layers, config=to_json(config), tags=tuple(tags), platform=platform)


def sha256(data: bytes) -> str:
    """Return the digest of ``data`` as images write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def to_json(value: object) -> bytes:
    """Return a JSON document."""
    return json.dumps(value).encode()


def from_json(data: Content) -> dict[str, object]:
    """Return a JSON object, to be changed and written back with :func:`to_json`."""
    assert isinstance(data, bytes)
    value = json.loads(data)
    assert isinstance(value, dict)
    return value


def blob_name(digest: str) -> str:
    """Return where a layout keeps the blob of ``digest``."""
    return digest.replace("sha256:", "blobs/sha256/")


def docker_archive(*images: SampleImage, hybrid: bool = False, packed: bool = False) -> bytes:
    """Return what ``docker save`` writes; ``hybrid`` and ``packed`` as for :func:`docker_files`."""
    return layer(docker_files(*images, hybrid=hybrid, packed=packed))


def docker_files(
    *images: SampleImage, hybrid: bool = False, packed: bool = False
) -> dict[str, Content]:
    """Return the members of what ``docker save`` writes, ``manifest.json`` among them.

    Args:
        images: listed in this order.
        hybrid: as engines write since version 25, an OCI layout too. Otherwise
            one folder a layer, a layer that comes again as a symbolic link.
        packed: layers in gzip, as some other tools write them.
    """
    if hybrid:
        files = oci_files(*images, packed=packed)
        names = [[blob_name(sha256(_stored(x, packed=packed))) for x in i.layers] for i in images]
        configs = [blob_name(sha256(i.config)) for i in images]
    else:
        files, names = _layer_folders(images, packed=packed)
        configs = [f"{sha256(i.config)[7:]}.json" for i in images]
        files.update((n, i.config) for n, i in zip(configs, images, strict=True))
    files["manifest.json"] = to_json([
        {"Config": config, "RepoTags": list(i.tags) or None, "Layers": layers}
        for config, i, layers in zip(configs, images, names, strict=True)
    ])  # fmt: skip
    return files


def _layer_folders(
    images: Sequence[SampleImage], *, packed: bool
) -> tuple[dict[str, Content], list[list[str]]]:
    """Return the members and, for each image, the names of its layers."""
    files: dict[str, Content] = {}
    first: dict[bytes, str] = {}
    names: list[list[str]] = []
    for one in images:
        chain = b""
        own: list[str] = []
        for tar in one.layers:
            chain = hashlib.sha256(chain + tar).digest()
            name = f"{chain.hex()}/layer.tar"
            own.append(name)
            if name in files:
                continue
            files |= {f"{chain.hex()}/": folder(), f"{chain.hex()}/VERSION": b"1.0"}
            files[name] = (
                symlink(f"../{first[tar]}") if tar in first else _stored(tar, packed=packed)
            )
            first.setdefault(tar, name)
        names.append(own)
    return files, names


def _stored(tar: bytes, *, packed: bool) -> bytes:
    return gzip.compress(tar, mtime=0) if packed else tar


def oci_archive(*images: SampleImage, packed: bool = False, nested: bool = False) -> bytes:
    """Return an OCI archive; ``packed`` and ``nested`` as for :func:`oci_files`."""
    return layer(oci_files(*images, packed=packed, nested=nested))


def oci_files(
    *images: SampleImage,
    packed: bool = False,
    nested: bool = False,
    attested: bool | Mapping[str, object] = False,
) -> dict[str, Content]:
    """Return the files of an OCI image layout.

    Args:
        images: listed in this order, each under its first tag.
        packed: layers in gzip.
        nested: ``index.json`` names one index, which names the images by platform.
        attested: an attestation manifest stands after each image, as BuildKit writes them;
            of nothing, or with this predicate.
    """
    files: dict[str, Content] = {
        "blobs/": folder(),
        "blobs/sha256/": folder(),
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
    }
    listed: list[dict[str, object]] = []
    for one in images:
        manifest = _add_manifest(files, one, packed=packed)
        entry = _descriptor(manifest, f"{OCI}.manifest.v1+json") | _annotated(one.tags[:1])
        words = dict(zip(("os", "architecture", "variant"), one.platform.split("/"), strict=False))
        listed.append(entry | {"platform": words})
        if attested:
            predicate = attested if isinstance(attested, Mapping) else {}
            listed.append(_add_attestation(files, sha256(manifest), predicate))
    if nested:
        index = _add_blob(files, _index(listed))
        names = _annotated(tag for one in images[:1] for tag in one.tags[:1])
        listed = [_descriptor(index, f"{OCI}.index.v1+json") | names]
    files["index.json"] = _index(listed)
    return files


def write_folder(path: Path, files: Mapping[str, Content]) -> Path:
    """Write the regular files of a layout below ``path``, and return that."""
    for name, content in files.items():
        if isinstance(content, bytes):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    return path


def _add_manifest(files: dict[str, Content], one: SampleImage, *, packed: bool) -> bytes:
    blobs = [_add_blob(files, _stored(tar, packed=packed)) for tar in one.layers]
    kind = f"{OCI}.layer.v1.tar+gzip" if packed else f"{OCI}.layer.v1.tar"
    return _add_blob(
        files,
        to_json({
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": _descriptor(_add_blob(files, one.config), f"{OCI}.config.v1+json"),
            "layers": [_descriptor(blob, kind) for blob in blobs],
        }),
    )  # fmt: skip


def _add_attestation(
    files: dict[str, Content], subject: str, predicate: Mapping[str, object]
) -> dict[str, object]:
    """Add a manifest whose configuration and one layer look like an image's."""
    about = {"predicate": predicate} if predicate else {}
    kind = {"predicateType": "https://slsa.dev/provenance/v1", "subject": []}
    statement = to_json(kind | about)
    stored = _descriptor(_add_blob(files, statement), "application/vnd.in-toto+json")
    if about:
        stored["annotations"] = {"in-toto.io/predicate-type": kind["predicateType"]}
    config = to_json({"architecture": "unknown", "os": "unknown", "rootfs": {"type": "layers"}})
    manifest = to_json({
        "schemaVersion": 2,
        "mediaType": f"{OCI}.manifest.v1+json",
        "config": _descriptor(_add_blob(files, config), f"{OCI}.config.v1+json"),
        "layers": [stored],
    })  # fmt: skip
    marks = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": subject,
    }
    entry = _descriptor(_add_blob(files, manifest), f"{OCI}.manifest.v1+json")
    return entry | {
        "annotations": marks, "platform": {"os": "unknown", "architecture": "unknown"},
    }  # fmt: skip


def _add_blob(files: dict[str, Content], data: bytes) -> bytes:
    files[blob_name(sha256(data))] = data
    return data


def _descriptor(data: bytes, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type, "digest": sha256(data), "size": len(data)}


def _annotated(tags: Iterable[str]) -> dict[str, object]:
    for tag in tags:
        return {"annotations": {"org.opencontainers.image.ref.name": tag}}
    return {}


def _index(manifests: Sequence[Mapping[str, object]]) -> bytes:
    return to_json({
        "schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": list(manifests),
    })  # fmt: skip
