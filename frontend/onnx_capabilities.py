"""Which ONNX ops are compiled, and what becomes of each input and attribute that they ever had.

One line for ops with the same names, of all opsets together. A name stands for itself where it is
implemented, and with a mark where it is not, or not always:

    ~name   has no effect in a network that is compiled for inference
    !name   must be known when compiling: a constant, or computed from shapes
    -name   is refused, as are names that are not here
"""

from __future__ import annotations

from typing import NamedTuple

_ACCEPTED = """
Abs BitwiseNot Ceil Det Floor GlobalAveragePool GlobalMaxPool HardSwish IsNaN Mish Neg Not: X
Reciprocal Relu Round Sigmoid Softplus Sqrt: X
Acos Acosh Asin Asinh Atan Atanh Cos Cosh Erf Exp Identity Log: input
Sign Sin Sinh Softsign Tan Tanh: input
Add And BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual: A B
MatMul Mul Or Sub Xor: A B
AffineGrid: theta !size align_corners
ArgMax ArgMin: data axis keepdims select_last_index
Attention: Q K V attn_mask past_key past_value nonpad_kv_seqlen is_causal kv_num_heads
Attention: left_window_size q_num_heads qk_matmul_output_mode right_window_size scale softcap
Attention: softmax_precision
AveragePool: X auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides
BatchNormalization: X scale B mean var input_mean input_var epsilon ~momentum -spatial training_mode
BitCast: input to
BitShift: X Y direction
Cast: input ~round_mode ~saturate to
CastLike: input target_type ~round_mode ~saturate
CausalConvWithState: input weight bias past_state activation
Celu Elu LeakyRelu Swish ThresholdedRelu: X alpha
CenterCropPad: input_data !shape axes
Clip: input min max
Col2Im: input !image_shape !block_shape dilations pads strides
Concat: inputs axis
ConstantOfShape: !input value
Conv: X W B auto_pad dilations group kernel_shape pads strides
ConvTranspose: X W B auto_pad dilations group kernel_shape output_padding output_shape pads strides
CumProd CumSum: x !axis exclusive reverse
DFT: input !dft_length !axis inverse onesided
DepthToSpace SpaceToDepth: input blocksize mode
Dropout: data ~ratio training_mode ~seed
Einsum: Inputs equation
Expand: input !shape
EyeLike: input dtype k
Flatten Hardmax LogSoftmax Softmax: input axis
GRU: X W R B sequence_lens initial_h activation_alpha activation_beta activations clip direction
GRU: hidden_size layout linear_before_reset
Gather GatherElements: data indices axis
GatherND: data indices batch_dims
Gelu: X approximate
Gemm: A B C alpha beta transA transB
GlobalLpPool: X p
GridSample: X grid align_corners mode padding_mode
GroupNormalization: X scale bias epsilon num_groups stash_type
HardSigmoid: X alpha beta
InstanceNormalization: input scale B epsilon
IsInf: X detect_negative detect_positive
LRN: X alpha beta bias size
LSTM: X W R B sequence_lens initial_h initial_c P activation_alpha activation_beta activations clip
LSTM: direction hidden_size input_forget layout
LayerNormalization: X Scale B axis epsilon stash_type
LinearAttention: query key value past_state decay beta ~chunk_size kv_num_heads q_num_heads scale
LinearAttention: update_rule
LpNormalization: input axis p
LpPool: X auto_pad ceil_mode dilations kernel_shape p pads strides
Max Mean Min Sum: data_0
MaxPool: X auto_pad ceil_mode dilations kernel_shape pads ~storage_order strides
MeanVarianceNormalization: X axes
Mod: A B fmod
NegativeLogLikelihoodLoss: input target weight ignore_index reduction
OneHot: indices !depth values axis
PRelu: X slope
Pad: data !pads constant_value !axes mode value
Pow: X Y
RMSNormalization: X scale axis epsilon stash_type
RNN: X W R B sequence_lens initial_h activation_alpha activation_beta activations clip direction
RNN: hidden_size layout
ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp: data !axes keepdims noop_with_empty_axes
ReduceMax ReduceMean ReduceMin ReduceProd: data !axes keepdims noop_with_empty_axes
ReduceSum ReduceSumSquare: data !axes keepdims noop_with_empty_axes
Reshape: data !shape allowzero
Resize: X !scales !roi !sizes antialias axes coordinate_transformation_mode cubic_coeff_a
Resize: exclude_outside extrapolation_value keep_aspect_ratio_policy mode nearest_mode
ReverseSequence: input sequence_lens batch_axis time_axis
RotaryEmbedding: X cos_cache sin_cache position_ids interleaved num_heads rotary_embedding_dim
Scan: initial_state_and_scan_inputs body num_scan_inputs -directions -scan_input_axes
Scan: -scan_input_directions -scan_output_axes -scan_output_directions -sequence_lens
Scatter: data indices updates axis
ScatterElements: data indices updates axis reduction
ScatterND: data indices updates reduction
Selu: X alpha gamma
Shrink: input bias lambd
Slice: data !starts !ends !axes !steps
SoftmaxCrossEntropyLoss: scores labels weights ignore_index reduction
Split: input !split axis num_outputs
Squeeze Unsqueeze: data !axes
STFT: signal !frame_step window !frame_length onesided
SwiGLU: A B alpha
TensorScatter: past_cache update write_indices axis mode
Tile: input !repeats
TopK: X !K k axis largest ~sorted
Transpose: data perm
Trilu: input !k upper
Upsample: X !scales mode
Where: condition X Y
"""


class Options(NamedTuple):
    """Names of an op's inputs and attributes."""

    implemented: frozenset[str]
    without_effect: frozenset[str]
    refused: frozenset[str]
    known_when_compiling: frozenset[str]

    def __contains__(self, name: object) -> bool:
        return name in self.implemented or name in self.without_effect


def _parse(text: str) -> dict[str, Options]:
    marked: dict[str, list[str]] = {}
    for line in text.strip().splitlines():
        ops, _, names = line.partition(":")
        for op in ops.split():
            marked.setdefault(op, []).extend(names.split())
    return {op: _options(names) for op, names in marked.items()}


def _options(marked: list[str]) -> Options:
    ignored, refused, known = (
        frozenset(name[1:] for name in marked if name[0] == mark) for mark in "~-!"
    )
    plain = frozenset(name for name in marked if name[0] not in "~-!")
    return Options(plain | known, ignored, refused, known)


ACCEPTED = _parse(_ACCEPTED)

_OPEN_SIZE = "returns as many values as the data says: use ops of fixed sizes, such as Where"
_QUANTISED = (
    "is quantised, which is not supported: export the model in float32, before quantising it"
)
_SEQUENCE = "works on sequences of tensors: use tensors, joined by Concat"
_TEXT = "works on text: make its result an input of the network"
_RANDOM = "draws random numbers: make the random tensor an input"

# Ops that no network is compiled with, and why; they are computed where all inputs are constants.
REFUSED = {
    op: reason
    for ops, reason in (
        ("Compress NonMaxSuppression NonZero Range Unique", _OPEN_SIZE),
        ("ConvInteger DequantizeLinear DynamicQuantizeLinear MatMulInteger", _QUANTISED),
        ("QLinearConv QLinearMatMul QuantizeLinear", _QUANTISED),
        ("ConcatFromSequence Optional OptionalGetElement OptionalHasElement", _SEQUENCE),
        ("SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert", _SEQUENCE),
        ("SequenceLength SequenceMap SplitToSequence", _SEQUENCE),
        ("RegexFullMatch StringConcat StringNormalizer StringSplit TfIdfVectorizer", _TEXT),
        ("Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform", _RANDOM),
        ("RandomUniformLike", _RANDOM),
        ("ImageDecoder", "decodes images: make the decoded image an input"),
    )
    for op in ops.split()
}
