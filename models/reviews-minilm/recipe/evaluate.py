"""Accuracy of a checkpoint or of the exported model.onnx on the test sets, raw text, from Python.

    python evaluate.py --data DIR --model .. [--max-tokens 512] [--first 2000]
"""
import argparse, json, os
import numpy as np, onnxruntime as ort
from data import batch, cut, open_tokenizer, read

cli = argparse.ArgumentParser()
cli.add_argument('--data', default=os.environ.get('LIMELIGHT_DATA'))
cli.add_argument('--model', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
cli.add_argument('--max-tokens', type=int)
cli.add_argument('--stride', type=int, default=1, help='look at every nth row only')
args = cli.parse_args()
length = args.max_tokens or json.load(open(os.path.join(args.model, 'card.json'), encoding='utf8'))['preprocessing']['maxTokens']
session = ort.InferenceSession(os.path.join(args.model, 'model.onnx'))
tokenizer = open_tokenizer(os.path.join(args.model, 'tokenizer.json'))
for name in ('sst2-dev', 'imdb-test'):
    table = read(args.data, name, tokenizer)
    order = sorted(range(0, len(table['raw']), args.stride), key=lambda i: len(table['raw'][i])); right = 0
    for a in range(0, len(order), 16):
        rows = order[a:a + 16]
        ids, mask = (t.numpy() for t in batch([cut(table['raw'][i], length) for i in rows]))
        logits = session.run(['logits'], dict(input_ids=ids, attention_mask=mask, token_type_ids=np.zeros_like(ids)))[0]
        right += int((logits.argmax(1) == table['label'][rows]).sum())
    print(name, 'n', len(order), 'accuracy', right / len(order), flush=True)
