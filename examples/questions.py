"""Questions as numbers of words, by a tokenizer of their own, and how training varies them.

What is an atom ?   -->   what  is  an  at om  ?   -->   67 83 108 244 101 60
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from bert import LONGEST, PADDING, WORDS
from data_sets import Questions
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor

NOTHING, UNKNOWN = "[PAD]", "[UNK]"
UNKNOWN_WORD = 1
HIDDEN = 0.2  # share of words that training replaces by the unknown one


def train_tokenizer(texts: Sequence[str], words: int = WORDS) -> Tokenizer:
    """Pieces of the words of these texts, in small letters; the first is none, the second unknown.

    By byte-pair encoding, without marks on pieces: WordPiece's trainer, and this one with marks,
    give another vocabulary each time.
    """
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=words, special_tokens=[NOTHING, UNKNOWN], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> Tensor:
    """Numbers of words [N, LONGEST]; longer texts lose their end, shorter ones are filled up."""
    ids = torch.full((len(texts), LONGEST), PADDING)
    for row, encoding in zip(ids, tokenizer.encode_batch(list(texts)), strict=True):
        found = encoding.ids[:LONGEST]
        row[: len(found)] = torch.tensor(found, dtype=ids.dtype)
    return ids


def trimmed(ids: Tensor) -> Tensor:
    """Without the places at the end that no text of a batch fills."""
    longest = int((ids != PADDING).any(0).sum())
    return ids[:, : max(longest, 1)]


def split(train: Questions, test: Questions) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Words and kinds of the questions to train on, then of those to test, by one tokenizer."""
    tokenizer = train_tokenizer(train.texts)
    ids = (encode(tokenizer, questions.texts) for questions in (train, test))
    words, test_words = ids
    return words, torch.tensor(train.kinds), test_words, torch.tensor(test.kinds)


@dataclass(frozen=True)
class QuestionBatches:
    """Batches in random order, some words hidden; no longer than their longest question.

    Attributes:
        ids: [N, LONGEST].
        kinds: [N].
        batch: questions of one.
    """

    ids: Tensor
    kinds: Tensor
    batch: int

    def __len__(self) -> int:
        return len(self.ids) // self.batch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for chosen in torch.randperm(len(self.ids)).split(self.batch)[: len(self)]:
            ids = trimmed(self.ids[chosen])
            hidden = (torch.rand(ids.shape) < HIDDEN) & (ids != PADDING)
            yield ids.masked_fill(hidden, UNKNOWN_WORD), self.kinds[chosen]
