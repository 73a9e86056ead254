"""Base images that are at hand: given, in the trace archive, or in the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.archive.base_claim import read_claim
from layertrace.archive.source import open_archive, parse_reference
from layertrace.model.image import ClaimPlace, ImageConfig, Platform
from layertrace.model.limits import DEFAULTS
from layertrace.model.origin import Finding
from layertrace.provenance.alignment.squashed import holds_base

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.archive.daemon import EngineSource
    from layertrace.archive.engine import EngineImage
    from layertrace.model.build import BaseDefaults, Build
    from layertrace.model.image import BaseClaim, Image
    from layertrace.model.limits import Limits
    from layertrace.provenance.alignment.history import Alignment

RECORDED: Final = "base-recorded"
_SHOWN: Final = 19
_PLACES: Final = {
    ClaimPlace.MANIFEST: "manifest says",
    ClaimPlace.INDEX: "index says",
    ClaimPlace.LABELS: "labels say",
}


class Bases:
    """Configurations of the external images that stages start from."""

    def __init__(
        self,
        bundled: Mapping[str, ImageConfig],
        *,
        given: ImageConfig | None,
        engine: EngineSource | None,
        claim: BaseClaim | None = None,
    ) -> None:
        """Keep what is known.

        Args:
            bundled: by reference, those of a trace archive.
            given: of the base of the target.
            engine: where the image is, and perhaps its base.
            claim: the base that the image says it has, for who has no Dockerfile.
        """
        self._known = dict(bundled)
        self._given = given
        self._engine = engine
        self.claim = claim
        self.defaults = {name: _defaults(config) for name, config in bundled.items()}
        """What stages take over, by reference."""

    @property
    def claimed_name(self) -> str | None:
        """What the image calls its base."""
        return None if self.claim is None else self.claim.name or None

    def learn(self, build: Build | None, image: ImageConfig) -> bool:
        """Learn what the target takes over; True where the Dockerfile means something else now.

        Its triggers are steps, and variables and directories come out of its settings.
        """
        if build is None:
            return False
        reference = build.chain(build.target)[0].base
        base = self.of(build, image)
        if base is None or reference in self.defaults:
            return False
        # Squashed into the image it is not below, and the user's word is all there is.
        if not _is_below(base, image) and not (base is self._given and holds_base(image)):
            return False
        # Without a Dockerfile, nothing of a build is known.
        from layertrace.model.build import BaseDefaults  # noqa: PLC0415

        self.defaults[reference] = _defaults(base)
        # That it sets no variable is worth knowing, where one is missing.
        unresolved = any(step.unresolved for stage in build.stages for step in stage.instructions)
        return unresolved or self.defaults[reference] != BaseDefaults()

    def of(
        self, build: Build | None, image: ImageConfig, stage: int | None = None
    ) -> ImageConfig | None:
        """Return the configuration of the base that the chain of an image's stage starts from."""
        on_target = stage is None or (build is not None and stage == build.target)
        if self._given is not None and on_target:
            return self._given
        if build is None:
            return self._claimed(image)
        reference = build.chain(build.target if stage is None else stage)[0].base
        shared = reference == build.chain(build.target)[0].base
        if self._given is not None and shared and _is_below(self._given, image):
            return self._given
        if reference in self._known or self._engine is None or reference == "scratch":
            return self._known.get(reference)
        found = self._engine.find(reference)
        base = None if found is None else bare_config(found)
        # The name may mean another image by now: what is not below tells nothing.
        return base if base is not None and _is_below(base, image) else None

    def _claimed(self, image: ImageConfig) -> ImageConfig | None:
        """Return the base that the image says it has, where the engine has it and it is below.

        With a digest it is that very image or none.
        """
        if self.claim is None or self._engine is None:
            return None
        found = self._engine.find(self.claim.reference)
        base = None if found is None else bare_config(found)
        return base if base is not None and base.diff_ids and _is_below(base, image) else None


def claim_of(image: Image) -> BaseClaim | None:
    """Return the base that an image says it has, by its annotations or else its labels."""
    return image.claimed_base or read_claim(dict(image.config.labels), ClaimPlace.LABELS)


def claim_finding(
    claim: BaseClaim | None, build: Build | None, alignment: Alignment
) -> tuple[Finding, ...]:
    """Say what the image's base is by its own word, where nothing else tells and ties it."""
    if claim is None or (build is not None and "$" not in build.chain(build.target)[0].base):
        return ()
    if build is None and any(step.base for step in alignment.steps):
        return ()
    named = claim.name or "an image"
    shown = f"{named} ({claim.digest[:_SHOWN]}…)" if claim.digest else named
    who = f"the image's {_PLACES[claim.place]} that its base is {shown}"
    if claim.place is ClaimPlace.LABELS:
        who += ", or its base was labelled so"
    return (
        Finding(
            code=RECORDED,
            message=f"{who}: recorded, and compared with nothing; give --base IMAGE",
            facts={"name": claim.name, "digest": claim.digest, "place": claim.place.value},
        ),
    )


def open_base(text: str, platform: Platform | None, limits: Limits = DEFAULTS) -> ImageConfig:
    """Return the configuration of a base image that the user names.

    Raises:
        LayertraceError: it cannot be found or read.
    """
    reference = parse_reference(text)
    if reference.transport != "docker-daemon":
        source = open_archive(reference, platform=platform, limits=limits)
        source.close()
        return source.image.config
    # The Docker SDK takes a quarter of a second to import.
    from layertrace.archive.daemon import EngineSource  # noqa: PLC0415

    engine = EngineSource(reference.target)
    engine.close()
    return bare_config(engine.facts)


def bare_config(image: EngineImage) -> ImageConfig:
    """Return the configuration of an image of the engine, which tells no history."""
    return ImageConfig(
        digest="",
        platform=image.platform,
        diff_ids=image.diff_ids,
        env=image.defaults.env,
        working_dir=image.defaults.workdir,
        on_build=image.defaults.on_build,
    )


def _defaults(config: ImageConfig) -> BaseDefaults:
    from layertrace.model.build import BaseDefaults  # noqa: PLC0415

    return BaseDefaults(env=config.env, workdir=config.working_dir, on_build=config.on_build)


def _is_below(base: ImageConfig, image: ImageConfig) -> bool:
    # Two layers of which nothing is known are not the same for that.
    return "" not in base.diff_ids and image.diff_ids[: len(base.diff_ids)] == base.diff_ids
