"""Identities: injective in practice, legal everywhere."""

import re

from dayfly.context.identity import tenant_name, user_name

SUBJECTS = ["auth0|x", "a#b", "Zoë", "x" * 255, "", " ", "a", "A", '","', '"', "a\u0000", "\ud800", "名前", "u-alice"]
ISSUERS = ["https://a/", "https://a", "", '","', "https://a/a", "Zoë"]


def test_any_subject_gives_a_legal_name() -> None:
    """Whatever the subject, its name is `u-` and 26 characters of a to z and 2 to 7."""
    for issuer in ISSUERS:
        for subject in SUBJECTS:
            assert re.fullmatch(r"u-[a-z2-7]{26}", user_name(issuer, subject))
            assert re.fullmatch(r"o-[a-z2-7]{26}", tenant_name(issuer, subject))


def test_no_two_pairs_share_a_name() -> None:
    """No issuer and subject can be glued together into another pair's name; users and tenants never meet."""
    pairs = {(issuer, subject) for issuer in [*ISSUERS, *SUBJECTS] for subject in [*ISSUERS, *SUBJECTS]}
    names = {user_name(*pair) for pair in pairs} | {tenant_name(*pair) for pair in pairs}
    assert len(names) == 2 * len(pairs)


def test_a_name_never_changes() -> None:
    """A user keeps the name over releases: rows are found by it."""
    assert user_name("https://issuer.example/", "alice") == "u-qkzu2vbjhy57fvskpj6xihyntq"
