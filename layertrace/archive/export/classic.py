"""The classic builder, through the Docker SDK.

It keeps the image of every step of every stage, so the stages of the very
build come back with the final image: nothing is built twice.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tarfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast

from layertrace.archive.ahead import drawn_ahead
from layertrace.archive.build_context import (
    IGNORE_FILE,
    ContextFile,
    context_entry,
    ignore_matcher,
    pattern_of,
    read_file,
    read_ignore,
    walk_context,
)
from layertrace.archive.engine_errors import engine_errors
from layertrace.archive.engine_exchange import Exchange
from layertrace.archive.export.build_plan import (
    BuildOrder,
    BuiltImages,
    StageImage,
    build_failure,
    makes_image,
    named_stages,
    refused_dockerfile,
    target_name,
)
from layertrace.archive.export.saved_image import Progress
from layertrace.errors import EngineError, StoppedError
from layertrace.model.bundle import ContextEntry
from layertrace.model.copysum import sum_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from docker import DockerClient


_STEP: Final = re.compile(r"Step (\d+)/(\d+) : (.*)")
_BLOCK: Final = 512
_KINDS: Final = (
    (stat.S_ISREG, tarfile.REGTYPE),
    (stat.S_ISDIR, tarfile.DIRTYPE),
    (stat.S_ISLNK, tarfile.SYMTYPE),
    (stat.S_ISFIFO, tarfile.FIFOTYPE),
    (stat.S_ISCHR, tarfile.CHRTYPE),
    (stat.S_ISBLK, tarfile.BLKTYPE),
)


class ContextTar:
    """The context as the tar that a build is sent, and the list of what it held."""

    def __init__(self, context: Path, *, patterns: tuple[str, ...], keep: frozenset[str]) -> None:
        """Prepare to send ``context``.

        Args:
            context: the folder.
            patterns: of ``.dockerignore``.
            keep: paths the builder itself needs, sent even where ignored; it
                hides those from COPY again.
        """
        self._context = context
        self._ignored = ignore_matcher(patterns)
        self._keep = keep
        self._inodes: dict[tuple[int, int], str] = {}
        self._digests: dict[str, str] = {}
        self.entries: list[ContextEntry] = []
        """What COPY could see."""
        self.sent = 0
        """Bytes handed out so far."""
        self.stopped = False
        """Set by another thread to end the tar where it is."""

    def chunks(self, extra: Mapping[str, bytes]) -> Iterator[bytes]:
        """Yield the tar; members of ``extra`` replace files of that name.

        Raises:
            SourceError: something in the context cannot be read.
        """
        for chunk in self._members(extra):
            if self.stopped:
                raise StoppedError
            self.sent += len(chunk)
            yield chunk

    def _members(self, extra: Mapping[str, bytes]) -> Iterator[bytes]:
        for file in walk_context(self._context, self._ignored, keep=self._keep):
            if file.path not in extra:
                yield from self._member(file)
        for name, content in extra.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            yield _header(info) + content + bytes(-len(content) % _BLOCK)
            if not self._ignored.matches(name):
                self.entries.append(_extra_entry(info, content))
        yield bytes(2 * _BLOCK)

    def _member(self, file: ContextFile) -> Iterator[bytes]:
        info = self._tar_info(file)
        if info is None:
            return
        yield _header(info)
        digest = self._digests.get(info.linkname) if info.islnk() else None
        summed = _start_sum(info)
        if info.isreg():
            sha256 = hashlib.sha256()
            for chunk in read_file(file):
                sha256.update(chunk)
                summed.update(chunk)
                yield chunk
            yield bytes(-info.size % _BLOCK)
            digest = f"sha256:{sha256.hexdigest()}"
            self._digests[file.path] = digest
        copy_sum = summed.hexdigest() if digest is not None else None
        if not self._ignored.matches(file.path) and (
            entry := context_entry(file, digest, copy_sum)
        ):
            self.entries.append(entry)

    def _tar_info(self, file: ContextFile) -> tarfile.TarInfo | None:
        """Return a member owned by root, as the docker command sends it; None for a socket."""
        status = file.status
        kind = next((kind for test, kind in _KINDS if test(status.st_mode)), None)
        if kind is None:
            return None
        info = tarfile.TarInfo(file.path)
        info.type = kind
        info.mode = stat.S_IMODE(status.st_mode)
        info.mtime = int(status.st_mtime)
        if kind == tarfile.SYMTYPE:
            info.linkname = os.fspath(Path(file.source).readlink())
        elif kind == tarfile.REGTYPE:
            # Two names of one file stay that, which a COPY of both shows.
            first = self._inodes.setdefault((status.st_dev, status.st_ino), file.path)
            if first != file.path:
                info.type, info.linkname = tarfile.LNKTYPE, first
            else:
                info.size = status.st_size
        elif kind in {tarfile.CHRTYPE, tarfile.BLKTYPE}:
            info.devmajor, info.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
        return info


def _start_sum(info: tarfile.TarInfo) -> hashlib._Hash:
    """Return the sum the builder keeps of a file, its content still to come."""
    header = sum_header(
        info.name,
        mode=info.mode,
        size=info.size,
        typeflag=info.type.decode(),
        linkname=info.linkname,
    )
    return hashlib.sha256(header)


def _extra_entry(info: tarfile.TarInfo, content: bytes) -> ContextEntry:
    summed = _start_sum(info)
    summed.update(content)
    return ContextEntry(
        path=info.name,
        kind="file",
        size=info.size,
        mode=info.mode,
        mtime=int(info.mtime),
        digest=f"sha256:{hashlib.sha256(content).hexdigest()}",
        copy_sum=summed.hexdigest(),
    )


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def build_classic(client: DockerClient, order: BuildOrder) -> BuiltImages:
    """Build the target and every stage before it.

    Raises:
        EngineError: the engine broke off, or a step failed.
        DockerfileError: the engine refuses the Dockerfile.
        SourceError: the context cannot be read.
        StoppedError: ``order.stop`` returned true.
    """
    context, dockerfile, extra = _prepare(order)
    ids = tuple(_run(client, order, context, dockerfile=dockerfile, extra=extra))
    build = order.build
    made = [stage.index for stage in build.stages[: build.target + 1] if makes_image(build, stage)]
    if not ids:
        raise EngineError("the build made no image", why="its target stage is empty")
    if len(made) == len(ids):
        stages = tuple(zip(made, ids, strict=True))
    else:
        order.log("The engine did not tell the image of every stage: only the last is exported.")
        stages = ((build.target, ids[-1]),)
    return BuiltImages(
        builder="classic",
        final=ids[-1],
        stages=tuple(
            StageImage(index=index, image=image, fidelity="same-build") for index, image in stages
        ),
        context=tuple(context.entries),
        # It took them from the engine, and fetched what was not there.
        images={reference: reference for reference in build.images()},
    )


def _prepare(order: BuildOrder) -> tuple[ContextTar, str, Mapping[str, bytes]]:
    """Decide what is sent, under which name the Dockerfile, and what beside the context."""
    build = order.build
    patterns = read_ignore(order.context, None)
    own = pattern_of(order.context, order.target_file)
    place = os.path.relpath(order.dockerfile.absolute(), order.context.absolute())
    inside = Path(place).parts[0] != os.pardir and not order.dockerfile.is_symlink()
    if inside and target_name(build, build.target) in {None, build.stages[build.target].name}:
        name = place.replace(os.sep, "/")
        keep = frozenset({name, IGNORE_FILE})
        return ContextTar(order.context, patterns=(*patterns, *own), keep=keep), name, {}
    text = named_stages(build)[0].encode("utf-8", "surrogateescape")
    # The same name each time, so that a context is the same and COPY is cached.
    name = f".dockerfile.{hashlib.sha256(text).hexdigest()[:20]}"
    # The ignore file hides it from COPY, and itself where there was none.
    ignore_file = order.context / IGNORE_FILE
    patterns = (*(patterns if ignore_file.exists() else (IGNORE_FILE,)), name)
    extra = {name: text, IGNORE_FILE: "\n".join((*patterns, "")).encode("utf-8", "surrogateescape")}
    tar = ContextTar(order.context, patterns=(*patterns, *own), keep=frozenset())
    return tar, name, extra


def _run(
    client: DockerClient,
    order: BuildOrder,
    context: ContextTar,
    *,
    dockerfile: str,
    extra: Mapping[str, bytes],
) -> Iterator[str]:
    """Run the build and yield the image id of each stage as it is done."""
    exchange = Exchange(client)
    build = order.build

    def messages() -> Iterator[Mapping[str, object]]:
        with engine_errors(), exchange.interruptible():
            yield from exchange.api.build(
                # An iterator is sent as it goes, without a temporary file.
                fileobj=cast("IO[bytes]", context.chunks(extra)),
                custom_context=True,
                dockerfile=dockerfile,
                buildargs=dict(build.arguments),
                network_mode=order.network,
                nocache=order.no_cache,
                target=target_name(build, build.target),
                rm=True,
                forcerm=True,
                decode=True,
                timeout=None,
            )

    def stop() -> bool:
        # While the context goes out the engine says nothing.
        if not started:
            order.progress(Progress(phase="context", done=context.sent))
        return order.stop()

    def interrupt() -> None:
        context.stopped = True
        exchange.interrupt()

    started = False
    try:
        with drawn_ahead(messages, stop=stop, interrupt=interrupt) as stream:
            for message in stream:
                started = True
                _report(order, message)
                if isinstance(aux := message.get("aux"), dict) and "ID" in aux:
                    yield str(aux["ID"])
    except EngineError as error:
        # The engine refuses a Dockerfile as it refuses anything else.
        raise refused_dockerfile(error.why, name=order.build.name) or error from error.__cause__


def _report(order: BuildOrder, message: Mapping[str, object]) -> None:
    """Pass on what the engine says; raise where it says that the build failed."""
    if "error" in message:
        raise build_failure(str(message["error"]), name=order.build.name)
    text = message.get("stream")
    if not isinstance(text, str):
        return
    for line in text.splitlines():
        if line:
            order.log(line)
    if found := _STEP.match(text):
        detail = f"{found[1]}/{found[2]} {found[3].strip()}"
        order.progress(Progress(phase="build", done=0, detail=detail))
