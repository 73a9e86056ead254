"""Whose tokens are told by their form, each by what its vendor publishes.

Source of each: what the vendor's documentation or secret-scanning announcement says,
named beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.analysis.secrets.tokens import check_github, check_grafana, check_jwt, token

if TYPE_CHECKING:
    from layertrace.analysis.secrets.tokens import Token

_TEST: Final = "of a test account"
_PUBLIC: Final = "such keys often stand in public pages on purpose"

CODE_HOSTS: Final[tuple[Token, ...]] = (
    # GitHub blog, 2021-04-05, "Behind GitHub's new authentication token formats".
    token("GitHub token", "ghp_ gho_ ghu_ ghs_", "[0-9A-Za-z]{36}", check=check_github),
    token("GitHub refresh token", "ghr_", "[0-9A-Za-z]{36,76}"),
    token("GitHub token, fine-grained", "github_pat_", "[0-9A-Za-z]{22}_[0-9A-Za-z]{59}"),
    # docs.gitlab.com, "Token overview", token prefixes; routable ones end in ".xx.checksum".
    token(
        "GitLab token",
        "glpat- gldt- glrt- glptt- glagent- gloas- glcbt-",
        r"[0-9A-Za-z_-]{20,300}(?:\.[0-9a-z]{2}\.[0-9a-z]{7,9})?",
    ),
    # support.atlassian.com, "API tokens": ATATT3xFf….
    token("Atlassian token", "ATATT3xFf ATCTT3xFf", r"[0-9A-Za-z_=-]{150,300}"),
)
PACKAGES: Final[tuple[Token, ...]] = (
    # GitHub blog, 2021-09-23, "npm's new access token format".
    token("npm token", "npm_", "[0-9A-Za-z]{36}"),
    # pypi.org/help, "API tokens": a macaroon of pypi.org or test.pypi.org, base64.
    token("PyPI token", "pypi-AgEIcHlwaS5vcmc", "[0-9A-Za-z_-]{50,1000}"),
    token("TestPyPI token", "pypi-AgENdGVzdC5weXBpLm9yZw", "[0-9A-Za-z_-]{50,1000}"),
    # guides.rubygems.org, "API key scopes".
    token("RubyGems key", "rubygems_", "[0-9a-f]{48}"),
    # docs.docker.com, "Personal access tokens", "Organization access tokens".
    token("Docker Hub token", "dckr_pat_ dckr_oat_", "[0-9A-Za-z_-]{27,32}"),
)
CLOUDS: Final[tuple[Token, ...]] = (
    # docs.aws.amazon.com, IAM, "Understanding unique ID prefixes": the secret beside it has 40
    # characters of base64; the id alone opens nothing.
    token(
        "AWS secret access key",
        "AKIA ASIA",
        r"[A-Z2-7]{16}(?![0-9A-Za-z])[^A-Za-z0-9+/]{1,40}(?:[A-Za-z_]{3,30}[^A-Za-z0-9+/]{1,10})?"
        r"(?P<value>(?=[^\s]{0,39}[0-9])(?=[^\s]{0,39}[A-Z])(?=[^\s]{0,39}[a-z])"
        r"[A-Za-z0-9+/]{40})(?![+/=])",
    ),
    token(
        "AWS secret access key",
        "aws_secret_access_key AWS_SECRET_ACCESS_KEY SecretAccessKey secretAccessKey",
        r"[\"' \t:=>]{1,10}(?P<value>[A-Za-z0-9+/]{40})(?![+/=])",
    ),
    # cloud.google.com, "API keys"; "OAuth client secrets" (GOCSPX-).
    token("Google API key", "AIza", "[0-9A-Za-z_-]{35}", doubt=_PUBLIC),
    token("Google OAuth client secret", "GOCSPX-", "[0-9A-Za-z_-]{28}"),
    # learn.microsoft.com, "Storage connection strings": 64 bytes of base64.
    token("Azure storage key", "AccountKey=", r"(?P<value>[A-Za-z0-9+/]{86}==)"),
    token("Azure shared access key", "SharedAccessKey=", r"(?P<value>[A-Za-z0-9+/]{43}=)"),
    # learn.microsoft.com, Purview, "Azure AD client secret": ?Q~ at the fourth character.
    token(
        "Azure client secret", "7Q~ 8Q~", r"[0-9A-Za-z_~.-]{3}[78]Q~[0-9A-Za-z_~.-]{31,34}", back=3
    ),
    # docs.digitalocean.com, "Personal access tokens".
    token("DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", "[0-9a-f]{64}"),
    # docs.databricks.com, "Personal access tokens".
    token("Databricks token", "dapi", "[0-9a-f]{32}(?:-[0-9])?"),
    # devcenter.heroku.com, "Platform API keys".
    token("Heroku key", "HRKU-", "[0-9A-Za-z_-]{36,64}"),
    # developer.hashicorp.com, Vault, "Tokens"; HCP Terraform, "API tokens".
    token("Vault token", "hvs. hvb.", "[0-9A-Za-z_-]{24,300}"),
    token(
        "HCP Terraform token",
        ".atlasv1.",
        r"[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_-]{60,70}",
        back=14,
    ),
    # pulumi.com, "Access tokens".
    token("Pulumi token", "pul-", "[0-9a-f]{40}"),
    # tailscale.com, "Key prefixes".
    token("Tailscale key", "tskey-", "(?:auth|api|client)-[0-9A-Za-z]{6,24}-[0-9A-Za-z]{20,40}"),
)
SERVICES: Final[tuple[Token, ...]] = (
    # api.slack.com, "Token types"; "Incoming webhooks".
    token("Slack token", "xoxb- xoxp- xoxa- xoxr- xoxs- xoxe-", "[0-9][0-9A-Za-z-]{23,250}"),
    token("Slack token", "xapp-", "[0-9]-[0-9A-Z]{8,16}-[0-9]{8,20}-[0-9a-f]{32,64}"),
    token(
        "Slack webhook",
        "hooks.slack.com/services/",
        "(?P<value>T[0-9A-Z]{7,12}/B[0-9A-Z]{7,12}/[0-9A-Za-z]{20,26})",
    ),
    # docs.stripe.com, "API keys"; "Webhooks".
    token("Stripe key", "sk_live_ rk_live_", "[0-9A-Za-z]{24,247}"),
    token("Stripe key", "sk_test_ rk_test_", "[0-9A-Za-z]{24,247}", doubt=_TEST),
    # docs.sendgrid.com, "API keys".
    token("SendGrid key", "SG.", r"[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}"),
    # twilio.com, "Auth tokens and API keys": 32 characters without a sign of their own.
    token(
        "Twilio secret",
        "TWILIO_ twilio_ twilio-",
        r"(?i:(?:account_)?auth[_-]?token|api[_-]?(?:key[_-]?)?secret)[\"' \t:=>]{1,8}"
        r"(?P<value>[0-9A-Za-z]{32})",
    ),
    # shopify.dev, "Access tokens".
    token("Shopify token", "shpat_ shpca_ shppa_ shpss_", "[0-9a-fA-F]{32}"),
    # grafana.com, "Service accounts".
    token("Grafana token", "glsa_", "[0-9A-Za-z]{32}_[0-9a-f]{8}", check=check_grafana),
    # docs.newrelic.com, "API keys"; docs.sentry.io, "Auth tokens".
    token("New Relic key", "NRAK-", "[0-9A-Z]{27}"),
    token("Sentry token", "sntrys_ sntryu_", "[0-9A-Za-z_+/=-]{60,500}"),
    # learning.postman.com; linear.app/developers; developers.notion.com.
    token("Postman key", "PMAK-", "[0-9a-f]{24}-[0-9a-f]{34}"),
    token("Linear key", "lin_api_", "[0-9A-Za-z]{40}"),
    # supabase.com, "Access tokens"; docs.doppler.com, "Token formats".
    token("Supabase token", "sbp_", "[0-9a-f]{40}"),
    token("Doppler token", "dp.pt.", "[0-9A-Za-z]{40,44}"),
    # developer.1password.com, "Service accounts".
    token("1Password token", "ops_eyJ", "[0-9A-Za-z_-]{200,2000}"),
    # core.telegram.org, "How do I create a bot?".
    token(
        "Telegram bot token",
        ":AA",
        "[0-9]{8,10}:AA[0-9A-Za-z_-]{33}",
        back=10,
        before=b"0123456789",
    ),
)
MODELS: Final[tuple[Token, ...]] = (
    # huggingface.co/docs, "User access tokens".
    token("Hugging Face token", "hf_", "[A-Za-z]{34}"),
    # platform.openai.com: every key holds the base64 of "OpenAI".
    token(
        "OpenAI key", "T3BlbkFJ", "sk-[0-9A-Za-z_-]{20,100}T3BlbkFJ[0-9A-Za-z_-]{20,100}", back=110
    ),
    # docs.anthropic.com, "API keys".
    token("Anthropic key", "sk-ant-", "[0-9a-z]{3,8}-[0-9A-Za-z_-]{80,120}"),
)
OTHERS: Final[tuple[Token, ...]] = (
    # age-encryption.org/v1, "Native X25519": Bech32.
    token("age private key", "AGE-SECRET-KEY-1", "[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    # RFC 7519.
    token(
        "JSON Web Token",
        "eyJ",
        r"[0-9A-Za-z_-]{10,1000}\.eyJ[0-9A-Za-z_-]{10,2000}\.[0-9A-Za-z_-]{20,1000}",
        check=check_jwt,
    ),
)
TOKENS: Final = (*CODE_HOSTS, *PACKAGES, *CLOUDS, *SERVICES, *MODELS, *OTHERS)
