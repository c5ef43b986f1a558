# SPDX-License-Identifier: Apache-2.0
"""Reads declarations that are not in a form to be shown: the tag fields."""

from __future__ import annotations

from typing import get_type_hints

from flowlag.enrich_options import PREFIX
from flowlag.options import Field
from flowlag.tags import Tags


def tag_fields() -> list[Field]:
    """The output fields of flowlagenrich under their default names."""
    hints = get_type_hints(Tags, include_extras=True)
    return [Field(f"{PREFIX.default}{name}", *hints[name].__metadata__) for name in Tags._fields]
