"""Where what looks like a secret is likely none: tests and documents of installed packages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from layertrace.analysis.secrets.hits import Hit

_PACKAGES: Final = re.compile(
    r"(?:^|/)(?:node_modules|bower_components|site-packages|dist-packages|lib/python[0-9.]*"
    r"|gems|pkg/mod|registry/src|\.m2/repository|usr/lib|usr/lib32|usr/lib64|usr/libexec"
    r"|usr/include|usr/local/go|usr/local/include"
    # The rest of it is where distributions put what packages bring.
    r"|usr/share/(?!nginx|httpd|www|html|caddy|tomcat|jetty)[^/]+"
    r"|_cacache)/"
)
_ASIDE: Final = re.compile(
    r"(?:^|/)(?:_*(?:tests?|specs?|mocks?|fixtures?)_*|testing|test[-_]?(?:data|resources|certs)"
    r"|examples?|docs?|samples?|demos?|benchmarks?|certdata|idle_test|dummy[a-z]*)/",
    re.IGNORECASE,
)
_DOCUMENT: Final = re.compile(
    r"\.(?:md|markdown|rst|adoc|html?|[1-9]|pod|d\.ts|map|txt)$"
    r"|(?:^|/)[^/]*[._-]?(?:test|spec|example)[._-][^/]*$|(?:^|/)test_[^/]*$"
    r"|(?:^|/)(?:metadata|pkg-info)$",
    re.IGNORECASE,
)
_MADE_ON_INSTALL: Final = {
    "etc/ssl/private/ssl-cert-snakeoil.key": "the snake-oil key of Debian's ssl-cert",
}


def doubt_of_place(path: str, hit: Hit) -> str:
    """Return why a hit in that file is likely no secret; ``""`` where nothing says so."""
    if path in _MADE_ON_INSTALL:
        return _MADE_ON_INSTALL[path]
    package = _PACKAGES.search(path)
    if package is None:
        return ""
    inside = path[package.end() :]
    if _ASIDE.search(inside) or _DOCUMENT.search(inside) or "share/doc/" in path:
        return "in the tests or documents of an installed package"
    return "" if hit.sure else "in an installed package"
