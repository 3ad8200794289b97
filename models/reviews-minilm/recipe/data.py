"""Reads the IMDB and SST-2 files (tab-separated, xz) and turns texts into batches of token ids."""
import lzma, os, re
import numpy as np, torch
from tokenizers import Tokenizer

CLS, SEP, MASK = 101, 102, 103


def rows(path):
    """One dict a line. Split on tabs only: the texts hold quotes that mean nothing."""
    with lzma.open(path, 'rt', encoding='utf8', newline='\n') as f:
        head, *lines = f.read().split('\n')
    head = head.split('\t')
    return [dict(zip(head, line.split('\t', len(head) - 1))) for line in lines if line]


def read(folder, name, tokenizer):
    """{label, cad, raw: token ids as written, clean: token ids with <br /> replaced by a space}"""
    table = rows(os.path.join(folder, name + '.tsv.xz'))
    ids = lambda texts: [np.array(e.ids, np.int32) for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
    texts = [r['text'] for r in table]
    return dict(label=np.array([int(r['label']) for r in table]), cad=np.array([int(r.get('in_cad', 0)) for r in table]),
                raw=ids(texts), clean=ids([re.sub(r'<br\s*/?>', ' ', t) for t in texts]))


def open_tokenizer(path):
    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_truncation(); tokenizer.no_padding()
    return tokenizer


def cut(ids, length, head=0.6):
    """Leaves room for [CLS] and [SEP]; longer texts keep the first 60 % and the last 40 % of what fits."""
    length -= 2
    if len(ids) <= length: return ids
    first = round(length * head)
    return np.concatenate([ids[:first], ids[len(ids) - (length - first):]])


def batch(texts):
    width = max(map(len, texts)) + 2
    ids, mask = np.zeros((len(texts), width), np.int64), np.zeros((len(texts), width), np.int64)
    for row, x in enumerate(texts):
        ids[row, 0], ids[row, 1:len(x) + 1], ids[row, len(x) + 1] = CLS, x, SEP
        mask[row, :len(x) + 2] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def held_out(imdb, sst, seed):
    """(imdb held out, imdb train, sst held out, sst train). SST-2 train holds sentences and their phrases: whole sentences
    are held out, and every row that is a part of one of them is dropped from training."""
    rng = np.random.default_rng(seed)
    free = rng.permutation(np.flatnonzero(imdb['cad'] == 0))
    long = np.array([i for i in rng.permutation(len(sst['raw'])) if len(sst['raw'][i]) >= 18][:800])
    key = lambda a: ' ' + ' '.join(map(str, a)) + ' '
    held = '|'.join(key(sst['raw'][i]) for i in long)
    return free[:1000], free[1000:], long, np.array([i for i in range(len(sst['raw'])) if key(sst['raw'][i]) not in held])
