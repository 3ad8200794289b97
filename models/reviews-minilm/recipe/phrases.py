"""The last leg: mostly SST-2 (phrases of 7 tokens or more), with ten IMDB reviews at every third step."""
import argparse, copy, os, random, time
import numpy as np, torch, torch.nn.functional as F
from safetensors.torch import load_file
from data import MASK, batch, cut, held_out, open_tokenizer, read
from model import MiniLM, load_pretrained

cli = argparse.ArgumentParser()
cli.add_argument('--data', default=os.environ.get('LIMELIGHT_DATA'), help='folder with imdb-*.tsv.xz and sst2-*.tsv.xz')
cli.add_argument('--base', required=True, help='folder with model.safetensors and tokenizer.json of all-MiniLM-L6-v2')
cli.add_argument('--out', default='reviews.pt')
cli.add_argument('--minutes', type=float, default=75)
cli.add_argument('--seed', type=int, default=2, help='of everything but the held-out rows')
cli.add_argument('--start', required=True, help='a checkpoint to go on from')
args = cli.parse_args()

random.seed(args.seed); np.random.seed(args.seed); torch.manual_seed(args.seed)
tokenizer = open_tokenizer(os.path.join(args.base, 'tokenizer.json'))
imdb, sst = read(args.data, 'imdb-train', tokenizer), read(args.data, 'sst2-train', tokenizer)
imdb_held, imdb_train, sst_held, sst_train = held_out(imdb, sst, 0)
print('imdb', len(imdb_train), 'sst', len(sst_train), flush=True)


def blank(ids):
    """[MASK] in place of up to 6 % of the tokens."""
    return np.where(np.random.rand(len(ids)) < random.uniform(0, 0.06), MASK, ids)


def stream(index, lengths, size, pool=40):
    """Shuffled batches of texts of like length (little padding), for ever."""
    while True:
        order = np.random.permutation(index)
        for a in range(0, len(order), size * pool):
            chunk = order[a:a + size * pool]
            chunk = chunk[np.argsort(lengths[chunk] + np.random.rand(len(chunk)), kind='stable')]
            batches = [chunk[b:b + size] for b in range(0, len(chunk), size)]
            random.shuffle(batches)
            yield from batches


@torch.no_grad()
def evaluate(model, table, index, length):
    order = sorted(index, key=lambda i: len(table['raw'][i])); right = loss = 0
    for a in range(0, len(order), 32):
        rows = order[a:a + 32]
        ids, mask = batch([cut(table['raw'][i], length) for i in rows])
        with torch.autocast('cpu', dtype=torch.bfloat16): logits = model(ids, mask, 0.0, torch.bfloat16)
        want = torch.from_numpy(table['label'][rows])
        right += (logits.argmax(1) == want).sum().item(); loss += F.cross_entropy(logits, want, reduction='sum').item()
    return round(100 * right / len(order), 2), round(loss / len(order), 4)


model = MiniLM(); load_pretrained(model, load_file(os.path.join(args.base, 'model.safetensors')))
model.load_state_dict(torch.load(args.start))
PEAK, DECAY = 8e-5, 0.9                                     # the learning rate falls by a tenth a layer, downwards
groups = []
for name, p in model.named_parameters():
    depth = int(name.split('.')[1]) + 1 if name.startswith('layers') else 7 if name.startswith('head') else 0
    lr = PEAK * 5 if depth == 7 else PEAK * DECAY ** (6 - depth)
    groups.append(dict(params=[p], lr=lr, base=lr, weight_decay=0.01 if p.ndim > 1 else 0.0))
optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
average = copy.deepcopy(model)
lengths = lambda table, key: np.array([len(x) for x in table[key]])
reviews = stream(imdb_train, np.minimum(lengths(imdb, 'clean'), 384), 10)
phrases = stream(sst_train[lengths(sst, 'raw')[sst_train] >= 7], lengths(sst, 'raw'), 64)
start, step, tokens = time.time(), 0, 0
while (done := (time.time() - start) / (60 * args.minutes)) < 1:
    for g in optimizer.param_groups: g['lr'] = g['base'] * min(1, step / (30)) * 0.45 * max(0.01, 1 - done)
    b = next(phrases); parts = [([blank(sst['raw'][i]) for i in b], sst['label'][b])]
    if step % 3 == 0:
        a = next(reviews)
        parts.insert(0, ([blank(cut(imdb['raw' if random.random() < 0.5 else 'clean'][i], 256, random.uniform(0.5, 0.7))) for i in a], imdb['label'][a]))
    for texts, labels in parts:
        ids, mask = batch(texts); tokens += ids.numel()
        with torch.autocast('cpu', dtype=torch.bfloat16): logits = model(ids, mask, 0.1, torch.bfloat16)
        F.cross_entropy(logits, torch.from_numpy(labels), label_smoothing=0.02).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0); optimizer.step(); optimizer.zero_grad(set_to_none=False); step += 1
    with torch.no_grad(): torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - min(0.99, (1 + step) / (10 + step)))
    if step % 100 == 0:
        print(f'{step} {done:.2f} {tokens / 1e6:.2f}M tokens', flush=True); torch.save(average.state_dict(), args.out)
torch.save(average.state_dict(), args.out)
print('steps', step, 'tokens', tokens, 'seconds', round(time.time() - start))
for length in (256, 320, 512): print('held out, IMDB at', length, evaluate(average, imdb, imdb_held, length))
print('held out, SST-2', evaluate(average, sst, sst_held, 128))
