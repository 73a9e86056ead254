"""The rules for visible leftovers, as data.

The order is theirs: of two rules that fit a file the one that stands first counts it. A rule
only names what nothing needs while a container runs, as far as its path tells; what looks like
a leftover and is not stands in :data:`KEPT`.

docs/bloat.md has them as a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of leftover."""

    name: str
    patterns: tuple[str, ...]
    """Of paths: ``/`` at the start is the root of the image, without it the pattern fits at any
    depth; ``/`` at the end means a folder and all below it. ``*`` is any part of one name."""
    advice: str
    """What to do about it, fit to stand after the line that did it."""
    magic: bytes = b""
    """What its files must hold in their first 512 bytes; their names are a suffix each."""


KEPT: Final = (
    # Slim base images leave just these: licences that must come with a package, and names of
    # languages that a C library looks up.
    "/usr/share/doc/*/copyright",
    "/usr/share/doc/*/LICENSE*",
    "/usr/share/locale/locale.alias",
    "/usr/share/locale/en/",
    "/usr/share/locale/en_*/",
    # What programs read below .cache when they run: models, browsers, package managers, databases.
    ".cache/huggingface/",
    ".cache/torch/",
    ".cache/whisper/",
    ".cache/clip/",
    ".cache/ms-playwright/",
    ".cache/ms-playwright-go/",
    ".cache/puppeteer/",
    ".cache/Cypress/",
    ".cache/selenium/",
    ".cache/rod/",
    ".cache/modelscope/",
    ".cache/kagglehub/",
    ".cache/chroma/",
    ".cache/fastembed/",
    ".cache/tfhub_modules/",
    ".cache/gpt4all/",
    ".cache/trivy/",
    ".cache/grype/",
    ".cache/node/",
    ".cache/deno/",
    ".cache/fontconfig/",
    ".cache/pre-commit/",
    ".cache/bazelisk/",
)

NODE_DEV: Final = "npm-dev"
UNSTRIPPED: Final = "unstripped"
FOREIGN: Final = "foreign-elf"

RULES: Final = (
    Rule(
        name="apt-lists",
        patterns=("/var/lib/apt/lists/",),
        advice="end the RUN that calls `apt-get update` with `rm -rf /var/lib/apt/lists/*`, or "
        "give it `--mount=type=cache,target=/var/lib/apt/lists`",
    ),
    Rule(
        name="apt-cache",
        patterns=("/var/cache/apt/",),
        advice="end the RUN with `apt-get clean`, or give it "
        "`--mount=type=cache,target=/var/cache/apt`",
    ),
    Rule(
        name="dpkg-backups",
        patterns=("/var/cache/debconf/*-old", "/var/lib/dpkg/*-old", "/var/backups/"),
        advice="end the RUN that installs packages with "
        "`rm -rf /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/backups/*`",
    ),
    Rule(
        name="apk-cache",
        patterns=("/var/cache/apk/", "/etc/apk/cache/"),
        advice="use `apk add --no-cache`",
    ),
    Rule(
        name="dnf-cache",
        patterns=("/var/cache/dnf/", "/var/cache/yum/", "/var/cache/libdnf5/"),
        advice="end the RUN with `dnf clean all` (or `microdnf`, `yum`), or give it "
        "`--mount=type=cache,target=/var/cache/dnf`",
    ),
    Rule(
        name="zypper-cache",
        patterns=("/var/cache/zypp/",),
        advice="end the RUN with `zypper clean --all`",
    ),
    Rule(
        name="pacman-cache",
        patterns=("/var/cache/pacman/pkg/", "/var/lib/pacman/sync/"),
        advice="end the RUN with `pacman -Scc --noconfirm`",
    ),
    Rule(
        name="pip-cache",
        patterns=(".cache/pip/", ".cache/pipenv/", ".cache/pypoetry/cache/", ".cache/uv/"),
        advice="use `pip install --no-cache-dir` (`uv --no-cache`), or give the RUN "
        "`--mount=type=cache,target=/root/.cache`",
    ),
    Rule(
        name="conda-cache",
        patterns=("/opt/conda/pkgs/", "miniconda3/pkgs/", "anaconda3/pkgs/", "miniforge3/pkgs/"),
        advice="end the RUN with `conda clean --all --yes`",
    ),
    Rule(
        name="npm-cache",
        patterns=(".npm/_cacache/", ".npm/_logs/"),
        advice="end the RUN with `npm cache clean --force`, or give it "
        "`--mount=type=cache,target=/root/.npm`",
    ),
    Rule(
        name="yarn-cache",
        patterns=(".cache/yarn/", "/usr/local/share/.cache/yarn/", ".yarn/berry/cache/"),
        advice="end the RUN with `yarn cache clean`, or mount a cache at what "
        "`yarn cache dir` prints",
    ),
    Rule(
        name="pnpm-cache",
        patterns=(".local/share/pnpm/store/", ".pnpm-store/", ".cache/pnpm/"),
        advice="give the RUN `--mount=type=cache,target=…` with what `pnpm store path` prints",
    ),
    Rule(
        name="bun-cache",
        patterns=(".bun/install/cache/",),
        advice="give the RUN `--mount=type=cache,target=/root/.bun/install/cache`",
    ),
    Rule(
        name="go-cache",
        patterns=("/go/pkg/mod/", "/root/go/pkg/mod/", "/home/*/go/pkg/mod/", ".cache/go-build/"),
        advice="build in an earlier stage and copy the program out of it, or give the RUN "
        "`--mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build`",
    ),
    Rule(
        name="cargo-cache",
        patterns=(
            ".cargo/registry/",
            ".cargo/git/",
            "/usr/local/cargo/registry/",
            "/usr/local/cargo/git/",
        ),
        advice="build in an earlier stage and copy the program out of it, or give the RUN "
        "`--mount=type=cache,target=/usr/local/cargo/registry`",
    ),
    Rule(
        name="gem-cache",
        patterns=(
            "/usr/local/bundle/cache/",
            "/usr/local/lib/ruby/gems/*/cache/",
            "/usr/lib/ruby/gems/*/cache/",
            "/var/lib/gems/*/cache/",
            "vendor/bundle/ruby/*/cache/",
            ".bundle/cache/",
        ),
        advice="end the RUN with `bundle clean --force && rm -rf /usr/local/bundle/cache`",
    ),
    Rule(
        name="maven-cache",
        patterns=(".m2/repository/", ".ivy2/cache/", ".cache/coursier/"),
        advice="build in an earlier stage and copy the jar out of it, or give the RUN "
        "`--mount=type=cache,target=/root/.m2`",
    ),
    Rule(
        name="gradle-cache",
        patterns=(".gradle/caches/", ".gradle/wrapper/dists/", ".gradle/daemon/"),
        advice="build in an earlier stage and copy the jar out of it, or give the RUN "
        "`--mount=type=cache,target=/root/.gradle`",
    ),
    Rule(
        name="composer-cache",
        patterns=(".composer/cache/", ".cache/composer/"),
        advice="set `COMPOSER_CACHE_DIR=/dev/null`, or give the RUN "
        "`--mount=type=cache,target=/root/.composer/cache`",
    ),
    Rule(
        name="nuget-cache",
        patterns=(".nuget/packages/", ".local/share/NuGet/"),
        advice="build in an earlier stage and copy what `dotnet publish` writes, or give the RUN "
        "`--mount=type=cache,target=/root/.nuget/packages`",
    ),
    Rule(
        name="tool-caches",
        patterns=(
            ".pytest_cache/",
            ".mypy_cache/",
            ".ruff_cache/",
            ".tox/",
            ".nox/",
            ".nyc_output/",
            ".eslintcache",
            ".parcel-cache/",
            ".next/cache/webpack/",
            ".angular/cache/",
            "node_modules/.cache/",
            ".cache/node-gyp/",
            ".node-gyp/",
        ),
        advice="remove it in the RUN that made it, or list it in .dockerignore",
    ),
    Rule(
        name="vcs",
        patterns=(".git/", ".hg/", ".svn/", ".bzr/"),
        advice="list it in .dockerignore; where a RUN cloned it, remove it in that RUN",
    ),
    Rule(
        name=NODE_DEV,
        patterns=(),
        advice="install with `npm ci --omit=dev`; where the build needs these packages, build in "
        "an earlier stage, or end the RUN with `npm prune --omit=dev`",
    ),
    Rule(
        name="tests",
        patterns=(
            # A test folder right in a package; deeper, or beside packages, the name may mean
            # anything: node_modules/test is a package, django.test is imported.
            "node_modules/*/test/",
            "node_modules/*/tests/",
            "node_modules/@*/*/test/",
            "node_modules/@*/*/tests/",
            "node_modules/*/__tests__/",
            "node_modules/@*/*/__tests__/",
            "site-packages/*/tests/",
            "dist-packages/*/tests/",
            "lib/python3.*/test/",
            "lib/python3.*/idlelib/idle_test/",
            "lib/python3.*/unittest/test/",
            "/usr/local/go/test/",
        ),
        advice="check that nothing imports them, then remove them in the RUN that installs them",
    ),
    Rule(
        name="pycache",
        patterns=("__pycache__/",),
        advice="set `ENV PYTHONDONTWRITEBYTECODE=1` before the RUN and use "
        "`pip install --no-compile`: programs start a little slower in each new container",
    ),
    Rule(
        name="docs",
        patterns=(
            "/usr/share/doc/",
            "/usr/local/share/doc/",
            "/usr/share/info/",
            "/usr/local/share/info/",
            "/usr/share/gtk-doc/",
            "/usr/share/doc-base/",
            "/usr/share/ri/",
            "/usr/local/share/ri/",
            "node_modules/npm/docs/",
        ),
        advice="tell dpkg before packages are installed: `path-exclude=/usr/share/doc/*` and "
        "`path-include=/usr/share/doc/*/copyright` in /etc/dpkg/dpkg.cfg.d/; dnf takes "
        "`--setopt=tsflags=nodocs`",
    ),
    Rule(
        name="man-pages",
        patterns=(
            "/usr/share/man/",
            "/usr/local/share/man/",
            "/usr/local/man/",
            "/opt/*/share/man/",
            "node_modules/npm/man/",
        ),
        advice="tell dpkg before packages are installed: `path-exclude=/usr/share/man/*` in "
        "/etc/dpkg/dpkg.cfg.d/; dnf takes `--setopt=tsflags=nodocs`",
    ),
    Rule(
        name="locales",
        patterns=(
            "/usr/share/locale/",
            "/usr/local/share/locale/",
            "/usr/share/i18n/locales/",
            "/usr/share/i18n/charmaps/",
        ),
        advice="where nobody reads messages in those languages, tell dpkg before packages are "
        "installed: `path-exclude=/usr/share/locale/*` in /etc/dpkg/dpkg.cfg.d/",
    ),
    Rule(
        name="static-libs",
        patterns=("*.a",),
        magic=b"!<arch>\n",
        advice="only a linker reads them: link in an earlier stage and install no -dev packages "
        "in the last one",
    ),
    Rule(
        name="static-libs",
        patterns=(
            # Deeper down programs load modules by such a file: ImageMagick, OpenLDAP.
            "/usr/lib/*.la",
            "/usr/lib64/*.la",
            "/usr/lib/*-linux-*/*.la",
            "/usr/local/lib/*.la",
        ),
        magic=b"libtool",
        advice="only a linker reads them: link in an earlier stage and install no -dev packages "
        "in the last one",
    ),
    Rule(
        name="debug-files",
        patterns=("/usr/lib/debug/",),
        advice="only a debugger reads them: install no -dbg, -dbgsym or -debuginfo packages",
    ),
    Rule(
        name="source-maps",
        patterns=("*.js.map", "*.mjs.map", "*.cjs.map", "*.ts.map", "*.mts.map", "*.cts.map",
                  "*.css.map"),
        advice="build without source maps, or keep them beside the image for the tool that reads "
        "stack traces",
    ),
    Rule(
        name="logs",
        patterns=("/var/log/", "npm-debug.log", "yarn-error.log"),
        advice="remove them in the RUN that wrote them",
    ),
    Rule(
        name="temp",
        patterns=("/tmp/*/", "/tmp/*", "/var/tmp/*/", "/var/tmp/*"),  # noqa: S108 - not this host's
        advice="remove them in the RUN that wrote them, or give it "
        "`--mount=type=tmpfs,target=/tmp`",
    ),
    Rule(
        name="home-cache",
        patterns=("/root/.cache/*/", "/root/.cache/*", "/home/*/.cache/*/", "/home/*/.cache/*"),
        advice="where nothing reads it when a container runs, remove it in the RUN that wrote it, "
        "or give it `--mount=type=cache,target=/root/.cache`",
    ),
    Rule(
        name=FOREIGN,
        patterns=(),
        advice="made for another processor than this image's: install for one platform only "
        "(`npm_config_arch`, a package without prebuilt files of all platforms)",
    ),
    Rule(
        name=UNSTRIPPED,
        patterns=(),
        advice="strip it where it is built: `strip --strip-unneeded`, `go build "
        "-ldflags='-s -w'`, `strip = true` in Cargo.toml; the bytes are those that frees",
    ),
)  # fmt: skip
