"""One of the tests that ONNX ships for each op that is compiled, where it has one.

`python tests/onnx_node_tests.py` runs them all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
from onnx_node_tests import node_tests, run_all
from onnx_refusals import reason

from niwaki.frontend.onnx_capabilities import ACCEPTED
from niwaki.frontend.onnx_choices import check_words
from niwaki.frontend.onnx_graph import OnnxGraph
from niwaki.signature import DTYPES

NAMES = {onnx.helper.np_dtype_to_tensor_dtype(onnx.helper.np.dtype(name)) for name in DTYPES}


def chosen() -> list[str]:
    """For each op the first test of it alone, with types that networks have."""
    first: dict[str, str] = {}
    for name, case in node_tests().items():
        nodes = case.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type in ACCEPTED and _has_known_types(case.model):
            first.setdefault(nodes[0].op_type, name)
    return list(first.values())


def _has_known_types(model: Any) -> bool:
    return all(
        value.type.tensor_type.elem_type in NAMES
        for value in (*model.graph.input, *model.graph.output)
    )


def test_one_for_each_op() -> None:
    outcomes = list(run_all(chosen(), together=20))
    assert len(outcomes) > 130
    assert not [outcome for outcome in outcomes if outcome.kind not in ("pass", "refused")]
    assert sum(outcome.kind == "pass" for outcome in outcomes) > len(outcomes) - 5


def test_bits() -> None:
    """Of opsets 26 and 28, which ONNX Runtime lacks."""
    names = [
        name
        for name, case in node_tests().items()
        if name.startswith(("test_bitcast", "test_bitshift")) and _has_known_types(case.model)
    ]
    assert len(names) > 20
    assert not [outcome for outcome in run_all(names, together=20) if outcome.kind != "pass"]


def test_numbers_and_short_products() -> None:
    names = ["test_einsum_scalar", "test_cumprod_1d_exclusive", "test_cumprod_1d_reverse_exclusive"]
    assert not [outcome for outcome in run_all(names, together=20) if outcome.kind != "pass"]


def test_attention() -> None:
    """Masks shorter than there are keys, counts of keys, queries without keys, windows."""
    names = [
        "4d_diff_heads_mask4d_padded_kv",
        "4d_causal_nonpad_attn_mask_composition",
        "4d_causal_nonpad_negative_offset_structural_empty",
        "23_boolmask_fullymasked_row_nan_robustness",
        "local_window_with_past",
        "local_window_ext_cache_rank2_mask",
        "bidirectional_window",
    ]
    outcomes = run_all([f"test_attention_{name}" for name in names], together=20)
    assert not [outcome for outcome in outcomes if outcome.kind != "pass"]


def test_words_of_attributes() -> None:
    """The list of them has those of every op that there is a test of."""
    for case in node_tests().values():
        graph = OnnxGraph(Path(case.name), 28, [], [], [], {})
        for node in case.model.graph.node:
            check_words(graph, node)


def test_a_reason_that_is_not_in_the_list() -> None:
    assert reason("input 'x' is bfloat16, which is not supported: export the model in float32")
    assert not reason("does not work")
