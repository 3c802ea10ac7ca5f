"""The table of ONNX ops and options against ONNX's own definitions, of all opsets that are read."""

from __future__ import annotations

import re
from collections import defaultdict

import onnx
import pytest
from repository import ROOT

from niwaki.frontend.onnx_capabilities import ACCEPTED, REFUSED
from niwaki.frontend.onnx_rules import NEWEST, OLDEST

Schemas = list[onnx.defs.OpSchema]


def schemas() -> dict[str, Schemas]:
    """The definitions of each of ONNX's own ops that hold in an opset that is read."""
    found: dict[str, Schemas] = defaultdict(list)
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "" and schema.since_version <= NEWEST:
            found[schema.name].append(schema)
    return {
        op: [schema for schema in versions if _is_read(schema, versions)]
        for op, versions in found.items()
    }


def _is_read(schema: onnx.defs.OpSchema, versions: Schemas) -> bool:
    later = [v.since_version for v in versions if v.since_version > schema.since_version]
    return min(later, default=NEWEST + 1) > OLDEST


def test_the_document_lists_all_ops() -> None:
    """And names none elsewhere in its tables of ONNX ops that is not compiled."""
    text = (ROOT / "docs" / "supported.md").read_text()
    section = text.partition("\n### ONNX\n")[2].partition("\n## ")[0]
    listed = section.partition("All ops that are compiled: ")[2].partition(".\n")[0]
    assert re.findall(r"`(\w+)`", listed) == sorted(ACCEPTED)
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`([A-Z]\w+)`", row.split("|")[1])}
    assert named <= set(ACCEPTED)


@pytest.mark.parametrize("op", sorted(ACCEPTED))
def test_every_input_and_attribute_is_in_the_table(op: str) -> None:
    names = {
        name
        for schema in schemas()[op]
        for name in (*(formal.name for formal in schema.inputs), *schema.attributes)
    }
    options = ACCEPTED[op]
    assert names == options.implemented | options.without_effect | options.refused


def test_refused_ops_are_others() -> None:
    assert not set(REFUSED) & set(ACCEPTED)
    assert set(REFUSED) <= set(schemas())


def test_the_newest_opset_is_the_newest_that_onnx_knows() -> None:
    assert onnx.defs.onnx_opset_version() == NEWEST
