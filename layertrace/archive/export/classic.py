"""The classic builder, through the Docker SDK.

It keeps the image of every step of every stage, so the stages of the very
build come back with the final image: nothing is built twice.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast

from layertrace.archive.ahead import drawn_ahead
from layertrace.archive.build_context import IGNORE_FILE, pattern_of, read_ignore
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
from layertrace.archive.export.context_tar import ContextTar
from layertrace.archive.export.saved_image import Progress
from layertrace.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from docker import DockerClient


_STEP: Final = re.compile(r"Step (\d+)/(\d+) : (.*)")


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
