"""The environment, read with types: the only place that reads variables of the product.

Every wrong value raises ImproperlyConfigured with a sentence that names the variable, the value
that was found (never a secret one) and what is allowed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

BASE_DIR = Path(__file__).resolve().parent.parent

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
SHORTEST_SECRET = 16


def is_set(name: str) -> bool:
    """Return whether the variable has a value other than blanks."""
    return bool(os.environ.get(name, "").strip())


def envtext(name: str, default: str) -> str:
    """Return the value without surrounding blanks, or the default if unset or empty."""
    return os.environ.get(name, "").strip() or default


def envbool(name: str, default: bool) -> bool:
    """Return a yes or no: 1 true yes on, 0 false no off, in any case."""
    text = envtext(name, "").lower()
    if not text:
        return default
    if text in TRUE or text in FALSE:
        return text in TRUE
    raise ImproperlyConfigured(f"{name} is {text!r}; it must be 1 or 0 (or true, false, yes, no).")


def envint(name: str, default: int, *, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`, both included."""
    text = envtext(name, "")
    if not text:
        return default
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if low <= number <= high:
        return number
    raise ImproperlyConfigured(f"{name} is {text!r}; it must be a whole number, {low} to {high}.")


def envchoice(name: str, default: str, choices: Sequence[str]) -> str:
    """Return one of a few words."""
    text = envtext(name, default)
    if text in choices:
        return text
    raise ImproperlyConfigured(f"{name} is {text!r}; it must be one of: {', '.join(choices)}.")


def envlist(name: str, default: Sequence[str]) -> list[str]:
    """Return the parts of a comma-separated value; unset gives the default, empty gives none."""
    text = os.environ.get(name)
    if text is None:
        return list(default)
    if not text.strip():
        return []
    parts = [part.strip() for part in text.split(",")]
    if all(parts):
        return parts
    raise ImproperlyConfigured(f"{name} has an empty part; separate its values by single commas.")


def envemails(name: str) -> list[str]:
    """Return e-mail addresses, comma-separated."""
    found = envlist(name, [])
    for address in found:
        try:
            validate_email(address)
        except ValidationError:
            raise ImproperlyConfigured(
                f"{name} has {address!r}, which is no e-mail address; separate addresses by commas."
            ) from None
    return found


def envurl(name: str, schemes: Sequence[str]) -> str:
    """Return a URL with a host; its value is never repeated, since it may hold a secret."""
    text = envtext(name, "")
    if text and not split_url(name, text, schemes).hostname:
        raise ImproperlyConfigured(f"{name} names no host; it must look like https://host/path.")
    return text


def envsecret(name: str, *, keep: Path | None = None) -> str:
    """Return a secret: from `name`, from the file that `name_FILE` names, or from `keep`.

    Args:
        name: The variable.
        keep: Where a secret of our own is made and kept (mode 0600) when none is given; without
            it a missing secret stops the start.
    """
    path = envtext(f"{name}_FILE", "")
    if is_set(name) and path:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; set one of them.")
    if path:
        return _read(f"{name}_FILE", Path(path))
    if is_set(name):
        return os.environ[name].strip()
    if keep is None:
        raise ImproperlyConfigured(
            f"{name} is not set. It is made by itself only in the default set-up, without "
            "DATABASE_URL; here set it to a long random text "
            "(python -c 'import secrets; print(secrets.token_urlsafe(48))')."
        )
    return _kept(name, keep)


def envsecrets(name: str, *, keep: Path | None = None) -> list[str]:
    """Return comma-separated secrets, none of them short or given twice."""
    parts = [part.strip() for part in envsecret(name, keep=keep).split(",")]
    if any(len(part) < SHORTEST_SECRET for part in parts):
        raise ImproperlyConfigured(
            f"{name} has a key of fewer than {SHORTEST_SECRET} characters; "
            "give long random texts, separated by commas, the one that seals first."
        )
    if len(set(parts)) < len(parts):
        raise ImproperlyConfigured(f"{name} has the same key twice; give each key once.")
    return parts


def var_dir() -> Path:
    """Return the folder for data of this installation: RESCO_SYNC_VAR, default `var`."""
    path = BASE_DIR / Path(envtext("RESCO_SYNC_VAR", "var")).expanduser()
    if path.exists() and not path.is_dir():
        raise ImproperlyConfigured(f"RESCO_SYNC_VAR is {str(path)!r}, which is no folder.")
    return path.resolve()


def split_url(name: str, url: str, schemes: Sequence[str]) -> SplitResult:
    """Return the parts of a service's URL; never repeats it, since it may hold a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not a URL: {error}.") from None
    if parts.scheme in schemes:
        return parts
    raise ImproperlyConfigured(
        f"{name} starts with {parts.scheme or 'no scheme'}; "
        f"it must start with one of: {', '.join(f'{scheme}://' for scheme in schemes)}."
    )


def _read(name: str, path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ImproperlyConfigured(f"{name}: cannot read {str(path)!r}: {reason}.") from None
    if text:
        return text
    raise ImproperlyConfigured(f"{name}: the file {str(path)!r} is empty.")


def _kept(name: str, path: Path) -> str:
    """Return the secret in `path`, made by the first process that asks."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
        # A link fails where another process was first, so that all end up with one secret.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return _read(f"{name} (made by an earlier start)", path)
