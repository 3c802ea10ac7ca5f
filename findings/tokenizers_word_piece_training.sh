#!/usr/bin/env bash
# tokenizers' trainers take no seed; the same texts are given to each in several processes.
# One would guess: a vocabulary depends on texts and settings alone.
# True: that of WordPieceTrainer is another one in each process; BpeTrainer's is the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tokenizers==0.23.3
cat > "$folder/train.py" <<'PY'
import hashlib
from pydoc_data.topics import topics

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

texts = [line for topic in topics.values() for line in topic.splitlines()]
settings = {"vocab_size": 2000, "special_tokens": ["[UNK]"], "show_progress": False}
for model, trainer in (
    (models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer(**settings)),
    (models.BPE(unk_token="[UNK]"), trainers.BpeTrainer(**settings)),
):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(texts, trainer)
    words = "\n".join(sorted(tokenizer.get_vocab()))
    print(type(model).__name__, hashlib.sha1(words.encode()).hexdigest()[:8])
PY
"$folder/venv/bin/python" -c 'import tokenizers; print("tokenizers", tokenizers.__version__)'
for _ in 1 2 3 4; do "$folder/venv/bin/python" "$folder/train.py"; done | sort | uniq -c | tee "$folder/found"
test "$(grep -c WordPiece "$folder/found")" -gt 1
test "$(grep -c BPE "$folder/found")" -eq 1
