"""The example of questions: its tokenizer, its batches, and the way to a bundle on made-up text."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import prune_bert
import pytest
import torch
from bert import LONGEST, PADDING, Bert, make
from conftest import DATA
from data_sets import Questions, read_questions
from questions import UNKNOWN_WORD, QuestionBatches, encode, train_tokenizer, trimmed
from repository import ROOT

import niwaki
from niwaki.errors import NiwakiError

PLACES = ("Oslo", "Quito", "Accra", "Hanoi", "Lima", "Perth")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Such small steps are slower on several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def made_up(count: int) -> Questions:
    """What tells the kind is one word."""
    starts = ("Why is it cold in", "What food comes from", "What is short for", "Who lives in",
              "Where is", "How far is it to")  # fmt: skip
    texts = [f"{starts[n % 6]} {PLACES[n // 6 % 6]} ?" for n in range(count)]
    return Questions(texts, [n % 6 for n in range(count)])


def test_tokenizer() -> None:
    tokenizer = train_tokenizer(made_up(36).texts)
    ids = encode(tokenizer, ["Where is Lima ?", "zzz", ""])
    assert ids.shape == (3, LONGEST)
    assert tokenizer.decode(ids[0].tolist()).strip() == "where is lima ?"
    assert (ids[0] != PADDING).sum() < 12
    assert set(ids[2].tolist()) == {PADDING}
    assert encode(tokenizer, ["Where is " * LONGEST])[0].min() > UNKNOWN_WORD


def test_tokenizers_of_equal_texts_are_equal() -> None:
    """Other trainers number their pieces in another order each time."""
    found = {train_tokenizer(made_up(36).texts).to_str() for _ in range(5)}
    assert len(found) == 1


def test_batches() -> None:
    torch.manual_seed(0)
    questions = made_up(36)
    ids = encode(train_tokenizer(questions.texts), questions.texts)
    batches = QuestionBatches(ids, torch.tensor(questions.kinds), 8)
    found = list(batches)
    assert len(found) == len(batches) == 4
    for words, kinds in found:
        assert len(words) == len(kinds) == 8
        assert words.shape[1] == int((words != PADDING).sum(1).max())
    hidden = torch.cat([(words == UNKNOWN_WORD).flatten() for words, _ in found]).float().mean()
    assert 0 < hidden < 0.4


def test_what_is_no_word_is_not_seen() -> None:
    network, words = make()
    short = words[:, :9]
    filled = torch.nn.functional.pad(short, (0, 20), value=PADDING)
    with torch.no_grad():
        torch.testing.assert_close(network(filled), network(short))
    assert trimmed(filled).shape == short.shape


def test_held_out_questions_choose(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Training knows none of them."""
    fit, held_out = prune_bert.parted(made_up(25))
    assert (len(fit.texts), held_out.kinds) == (22, [0, 4, 2])
    monkeypatch.setattr(prune_bert, "in_pytorch", lambda network: network)
    monkeypatch.setattr(prune_bert, "accuracy", lambda share, *_: share)
    assert prune_bert.chosen("dense", {1: 0.5, 2: 0.7, 3: 0.7, 4: 0.6}, [], []) == 0.7
    assert "50.0% with 1 epochs, 70.0% with 2 epochs" in capsys.readouterr().out


def test_from_questions_to_a_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    small = Bert(width=32, layers=1, dropout=0)
    monkeypatch.setattr(prune_bert, "Bert", lambda: small)
    monkeypatch.setattr(prune_bert, "LENGTHS", (4, LONGEST))
    results = prune_bert.run(made_up(144), made_up(36), [2], [8], tmp_path)
    assert list(results) == ["dense", "2x"]
    assert min(results.values()) > 0.9, "of six kinds"
    bundle = niwaki.load(tmp_path / "bert_2x.niwaki").bundle
    assert bundle.lengths == (4, LONGEST)
    assert "ms a question, dense in ONNX Runtime" in capsys.readouterr().out
    assert (tmp_path / "tokenizer.json").is_file()


def test_without_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, str(ROOT / "examples" / "prune_bert.py"), "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: no data: {tmp_path}/text/TREC/TREC.train.all is missing")
    monkeypatch.delenv("NIWAKI_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["prune_bert.py"])
    with pytest.raises(SystemExit, match=r"^error: no data: name the folder of data sets"):
        prune_bert.main()
    with pytest.raises(NiwakiError, match=r"TREC.test.all is missing"):
        read_questions(tmp_path, "test")


@pytest.mark.requires_data
def test_the_questions_themselves() -> None:
    train, test = read_questions(DATA, "train"), read_questions(DATA, "test")
    assert (len(train.texts), len(test.texts)) == (5452, 500)
    assert np.bincount(train.kinds).tolist() == [1162, 1250, 86, 1223, 835, 896]
    ids = encode(train_tokenizer(train.texts), train.texts)
    assert int((ids != PADDING).sum(1).max()) < LONGEST, "none is cut"
    assert (ids != UNKNOWN_WORD).all()
