from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_Method = TypeVar("_Method", bound=Callable[..., Any])

def display(
    *,
    description: str | None = ...,
    ordering: str | None = ...,
    label: bool | str | Mapping[str, str] | None = ...,
) -> Callable[[_Method], _Method]: ...
