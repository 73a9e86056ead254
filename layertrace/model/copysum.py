"""What the classic builder hashes of a file besides its content.

Source: moby, ``pkg/tarsum/versioning.go``, ``v1TarHeaderSelect``; no time is in it.
"""

from __future__ import annotations


def sum_header(  # noqa: PLR0913 - the fields of a tar header
    name: str,
    *,
    mode: int,
    size: int = 0,
    typeflag: str = "0",
    linkname: str = "",
    uid: int = 0,
    gid: int = 0,
    uname: str = "",
    gname: str = "",
    capability: bytes | None = None,
) -> bytes:
    """Return the bytes that go before a file's content into its sum.

    Args:
        name: relative to the context or image; a directory's ends in ``/``.
        mode: with or without the bits of the kind of file, as it was sent.
        size: of the content, which follows.
        typeflag: as in a tar header.
        linkname: of a hard link.
        uid: of the owner.
        gid: of the group.
        uname: the owner's name where one was asked for.
        gname: the group's.
        capability: the ``security.capability`` attribute.

    >>> sum_header("a", mode=0o644, size=1)
    b'nameamode420uid0gid0size1typeflag0linknameunamegnamedevmajor0devminor0'
    """
    fields = {
        "name": name,
        "mode": mode,
        "uid": uid,
        "gid": gid,
        "size": size,
        "typeflag": typeflag,
        "linkname": linkname,
        "uname": uname,
        "gname": gname,
        "devmajor": 0,
        "devminor": 0,
    }
    text = "".join(f"{key}{value}" for key, value in fields.items())
    data = text.encode("utf-8", "surrogateescape")
    return data if capability is None else data + b"security.capability" + capability
