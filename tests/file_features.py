"""All that a file system can hold and an engine can build, as one Dockerfile and its context.

Archives that ADD unpacks bring what no command makes: every form of header, sparse files,
capabilities. Three scripts make, change and remove what commands can.
"""

from __future__ import annotations

import gzip
import tarfile
from typing import TYPE_CHECKING, Final

from tests.builders import (
    BLOCK,
    Content,
    Form,
    Member,
    block,
    char,
    checksummed,
    fifo,
    file,
    folder,
    hardlink,
    layer,
    symlink,
)

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE: Final = """\
FROM tiny-node:14-slim
COPY *.sh /
ADD *.tar *.tar.gz /added/
RUN sh -eu /make.sh
RUN sh -eu /change.sh
RUN sh -eu /again.sh
"""
_MAKE: Final = r"""
mkdir -p /made/sizes && cd /made/sizes
for size in 0 1 511 512 513 10240; do busybox head -c $size /bin/busybox > $size; done
busybox truncate -s 1M hole
busybox truncate -s 1M end && busybox dd if=/bin/busybox of=end bs=4k seek=300 count=1

mkdir ../modes && cd ../modes
for mode in 0000 0644 0755 1644 2755 4755 6711 7777; do
    echo $mode > $mode && chmod $mode $mode && mkdir dir$mode && chmod $mode dir$mode
done

mkdir ../owners && cd ../owners
for id in 1 65534 2097151 2097152 4000000000; do echo > $id && chown $id:$((id / 2)) $id; done
echo > again && chown 1:2 again && chmod 4755 again
ln -s nowhere link && chown -h 7:8 link

mkdir ../kinds && cd ../kinds
busybox mkfifo -m 0620 fifo && ln fifo fifo.hard && mkdir empty
busybox mknod char c 1 3 && busybox mknod block b 7 300 && chmod 0604 char && chown 5:6 block

mkdir ../times && cd ../times
touch -d '1969-12-31 23:59:58' before && touch -d @0 epoch && touch -d '2250-01-01 00:00' far
mkdir dir && touch -d '2001-02-03 04:05' dir

mkdir ../links && cd ../links
for name in kept grown shrunk lost split taken touched; do
    echo $name > $name.1 && ln $name.1 $name.2 && ln $name.2 $name.3
done
mkdir apart && ln kept.1 apart/kept.4
ln -s kept.1 relative && ln -s /made/links/kept.1 absolute && ln -s ../../../../../etc climbing
ln -s nowhere dangling && ln -s circle.2 circle.1 && ln -s circle.1 circle.2 && ln -s self self
ln -s . dot && ln -s "$(busybox printf '%0150d/%0250d' 1 2)" long
ln -s "$(busybox printf '\377\n')." bytes
busybox ln relative hard.soft

mkdir ../names && cd ../names
for name in ' ' ' a ' -dash 'a"b' "a'b" 'a\b' '\n' '*' '#' '%41' ... .whx wh.x moon; do
    echo "$name" > "./$name"
done
for code in 001 010 011 012 015 033 177 200 377 '303\251' '145\314\201'; do
    echo > "$(busybox printf "c\\$code.txt")"
done
mkdir "$(busybox printf 'dir\n\376')" && echo > "$(busybox printf 'dir\n\376/in\377')"
for length in 99 100 101 154 155 156 255; do echo > "$(busybox printf "%0${length}d" 0)"; done
deep=$(busybox printf '%0100d/%0100d/%0100d/%0100d' 1 2 3 4)
mkdir -p $deep/$deep && echo deep > $deep/$deep/end
ln $deep/$deep/end $deep/hard && ln -s $deep/$deep/end soft

mkdir ../turned && cd ../turned
mkdir -p real/sub dir.link dir.file dir.fifo/sub
for dir in real real/sub dir.link dir.file dir.fifo/sub; do echo $dir > $dir/old; done
ln -s real link.dir && ln -s real link.file && ln -s real link.link
echo > file.dir && echo > file.link && echo > file.fifo && busybox mkfifo fifo.file

mkdir ../gone && cd ../gone
mkdir -p dir/sub only emptied anew/sub back mode
for dir in dir dir/sub only emptied anew anew/sub back mode; do echo $dir > $dir/file; done
echo > file && echo > file.back && ln -s file link && busybox mkfifo fifo
"""
_CHANGE: Final = r"""
cd /made/links
ln grown.1 grown.4 && rm shrunk.1 && rm lost.1 lost.2 && echo changed > split.2
rm taken.1 && echo another > taken.1 && rm touched.3 && chmod 0600 touched.1 && echo more >> split.3
ln /usr/local/bin/npm base && ln -s relative to.relative

cd ../turned
rm link.dir && mkdir link.dir && echo new > link.dir/new
rm link.file && echo new > link.file && rm link.link && ln -s real/sub link.link
rm -r dir.link && ln -s real dir.link && rm -r dir.file && echo new > dir.file
rm -r dir.fifo && busybox mkfifo dir.fifo && rm fifo.file && echo new > fifo.file
rm file.dir && mkdir file.dir && echo new > file.dir/new
rm file.link && ln -s real/old file.link && rm file.fifo && busybox mkfifo file.fifo

cd ../gone
rm -r dir && rm only/file emptied/file file file.back link fifo && rm -r back
rm -r anew && mkdir anew && echo new > anew/new && chmod 0700 mode
rmdir emptied && mkdir emptied

cd ../owners && chown 3000000:3000001 again && echo 1 >> ../sizes/512
cd ../names && rm ' a ' "$(busybox printf 'c\377.txt')" && chmod 0600 ./-dash
mv moon moved && mv "$(busybox printf 'dir\n\376')" "$(busybox printf 'moved\n\376')"

cd /added/pax && chmod 0700 capable && rm -r implicit
rm /usr/bin/passwd && rm -r /usr/share/doc/npm && chmod 0700 /home/node
"""
_AGAIN: Final = r"""
cd /made/gone
echo again > file.back && mkdir back && echo again > back/other && rm anew/new
mkdir -p dir/sub && echo again > dir/sub/file && rm -r mode && ln -s anew mode
cd ../turned && rm -r link.dir && ln -s real link.dir && rm dir.link && mkdir dir.link
cd ../links && ln shrunk.2 shrunk.again && ln touched.1 touched.again
rm /*.sh
"""
_TIME: Final = 1_234_567_890
_BINDING: Final = bytes.fromhex("0100000200040000") + bytes(12)
"""``cap_net_bind_service=ep``, as the kernel keeps it."""
_PARTS: Final = {number * 65536: b"%d" % number * 600 for number in range(7)}


def write_context(path: Path) -> None:
    """Write the Dockerfile and all it brings in."""
    pieces = layer({f"pieces/{name}": name.encode() * 3000 for name in "ab"})
    files = {
        "Dockerfile": DOCKERFILE.encode(),
        "make.sh": _MAKE.encode(),
        "change.sh": _CHANGE.encode(),
        "again.sh": _AGAIN.encode(),
        "v7.tar": _without_magic("v7"),
        "ustar.tar": _tar("ustar", _long("ustar", 50), form=tarfile.USTAR_FORMAT),
        "gnu.tar": _tar("gnu", _large("gnu"), form=tarfile.GNU_FORMAT),
        "pax.tar": _tar("pax", _large("pax"), _records("pax"), form=tarfile.PAX_FORMAT),
        "pieces.tar.gz": gzip.compress(pieces[:1000]) + gzip.compress(pieces[1000:]),
    }
    path.mkdir()
    for name, content in files.items():
        (path / name).write_bytes(content)


def _tar(top: str, *more: dict[str, Content], form: Form) -> bytes:
    """Return a tar of what every form of header can hold, and more."""
    entries: dict[str, Content] = {
        f"{top}/": folder(0o2750, uid=3, gid=4, mtime=_TIME),
        f"{top}/file": file(b"x" * BLOCK, mode=0o4711, uid=1000, gid=1001, mtime=_TIME),
        f"{top}/hard": hardlink(f"{top}/file"),
        f"{top}/soft": symlink("file"),
        f"{top}/implicit/a/b": file(b"no entry makes where it lies"),
        f"{top}/zero": b"",
    }
    for each in more:
        entries |= each
    return layer(entries, form=form)


def _without_magic(top: str) -> bytes:
    """Return a tar as it was before POSIX: a type and a name, and a directory ends in a slash."""
    tar = _tar(top, form=tarfile.USTAR_FORMAT)
    blocks = [tar[start : start + BLOCK] for start in range(0, len(tar), BLOCK)]
    old = []
    for each in blocks:
        if each[257:262] != b"ustar":
            old.append(each)
            continue
        kind = b"\0" if each[156:157] in b"05" else each[156:157]
        old.append(checksummed(each[:156] + kind + each[157:257] + bytes(BLOCK - 257)))
    return b"".join(old)


def _long(top: str, length: int) -> dict[str, Content]:
    """Return names and link targets of which each part has a length."""
    path = "/".join([top, *(letter * length for letter in "abc")])
    return {path: file(b"long"), f"{path}.soft": symlink("d" * min(100, 2 * length))}


def _large(top: str) -> dict[str, Content]:
    """Return what octal digits and a hundred bytes cannot hold."""
    return _long(top, 240) | {
        f"{top}/hard.long": hardlink(next(iter(_long(top, 240)))),
        f"{top}/soft.long": symlink("/".join("f" * 200 for _ in range(4))),
        f"{top}/owned": file(uid=2_097_152, gid=4_000_000_000),
        f"{top}/before": file(mtime=-5),
        f"{top}/far": file(mtime=1 << 33),
        f"{top}/line\nfeed\udcff": file(b"bytes"),
        f"{top}/pipe": fifo(),
        f"{top}/char": char(1, 5),
        f"{top}/block": block(7, 300),
    }


def _records(top: str) -> dict[str, Content]:
    """Return what PAX records alone can say."""
    data = b"".join(_PARTS.values())
    sizes = [(offset, len(part)) for offset, part in _PARTS.items()]
    numbers = [str(number) for pair in sizes for number in pair]
    places = "\n".join([str(len(sizes)), *numbers, ""]).encode()
    return {
        "pax_global_header": Member(type=tarfile.XGLTYPE, content=b"19 comment=a thing\n"),
        f"{top}/capable": file(b"program", mode=0o755, capability=_BINDING),
        f"{top}/attributed": Member(content=b"x", pax={"SCHILY.xattr.user.note": "some"}),
        f"{top}/fraction": file(mtime=_TIME + 0.75),
        f"{top}/fraction.before": file(mtime=-1.25),
        f"{top}/sparse.map": Member(
            content=data, pax={"GNU.sparse.size": "500000", "GNU.sparse.map": ",".join(numbers),
                               "GNU.sparse.numblocks": str(len(sizes))},
        ),
        f"{top}/GNUSparseFile.0/sparse": Member(
            content=places.ljust(BLOCK, b"\0") + data,
            pax={"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                 "GNU.sparse.name": f"{top}/sparse.named", "GNU.sparse.realsize": "500000"},
        ),
    }  # fmt: skip
