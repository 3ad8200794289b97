"""Step 2: fine-tunes everything above conv_dw_4 with strong augmentation, mixup and an average of the weights. The schedule
follows the clock, so that it always ends; see the README for what the shipped weights got.

    python train.py --data DIR --start pets-head.pt --minutes 28 --out pets.pt
"""
import argparse, copy, math, os, time
import numpy as np, torch, torch.nn.functional as F
from data import Augmented, crop, load, split, squash
from model import LAYERS, PetsCnn

cli = argparse.ArgumentParser()
cli.add_argument('--data', default=os.environ.get('LIMELIGHT_DATA'), help='folder with cats-dogs.tar')
cli.add_argument('--start', required=True, help='the checkpoint of head.py')
cli.add_argument('--out', default='pets.pt')
cli.add_argument('--minutes', type=float, default=28)
args = cli.parse_args()
BATCH = 32
torch.manual_seed(0); np.random.seed(0)
tr, held = split(load(args.data, 'train'))
m = PetsCnn(); m.load_state_dict(torch.load(args.start)); m = m.to(memory_format=torch.channels_last)
FREEZE = LAYERS.index('conv_dw_4'); PEAK = 1e-4
groups = []
for i, n in enumerate(LAYERS):
    for p in getattr(m, n).parameters():
        p.requires_grad_(i >= FREEZE)
        if i >= FREEZE: lr = PEAK * 0.88 ** ((len(LAYERS) - 1 - i) // 2); groups.append(dict(params=[p], lr=lr, base=lr, weight_decay=0.02 if p.ndim > 1 else 0.0))
for p in m.head.parameters(): groups.append(dict(params=[p], lr=1e-3, base=1e-3, weight_decay=0.02))
opt = torch.optim.AdamW(groups); ema = copy.deepcopy(m); H = torch.tensor([y for _, y in held])
@torch.no_grad()
def evaluate(net):
    r = []
    for f in (squash, crop, lambda j: crop(j, 1.0)):
        o = torch.cat([net(torch.stack([f(j) for j, _ in held[a:a + 50]]).contiguous(memory_format=torch.channels_last)) for a in range(0, len(held), 50)])
        r.append((round(100 * (o.argmax(1) == H).float().mean().item(), 2), round(F.cross_entropy(o, H).item(), 4)))
    return r
print('start', evaluate(m), flush=True)
def save(net, name): torch.save({k: v.contiguous() for k, v in net.state_dict().items()}, name)
it = iter(torch.utils.data.DataLoader(Augmented(tr, BATCH, 1), batch_size=None, num_workers=1, prefetch_factor=6)); START = time.time(); step = 0; run = []; nextev = 0.2
while (f := (time.time() - START) / (60 * args.minutes)) < 1:
    s = min(1, step / 50) * max(0.01, 0.5 * (1 + math.cos(math.pi * f)))
    for g in opt.param_groups: g['lr'] = g['base'] * s
    x, y = next(it); t = F.one_hot(y, 2).float() * 0.96 + 0.02
    if step % 3 == 0: lam = np.random.beta(.4, .4); q = torch.randperm(len(x)); x, t = lam * x + (1 - lam) * x[q], lam * t + (1 - lam) * t[q]       # mixup
    x = x.contiguous(memory_format=torch.channels_last)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        with torch.no_grad(): z = m.features(x, 0, FREEZE)
        z = m.features(z, FREEZE).float().mean((2, 3))
    loss = F.cross_entropy(m.head(F.dropout(z, .1)), t); loss.backward(); run.append(loss.item())
    opt.step(); opt.zero_grad(); step += 1
    with torch.no_grad(): torch._foreach_lerp_([p for p in ema.parameters()], [p for p in m.parameters()], 1 - min(0.998, (1 + step) / (10 + step)))
    if step % 40 == 0: print(f'{step} f={f:.3f} epoch {step*BATCH/len(tr):.2f} loss {np.mean(run):.4f} {step*BATCH/(time.time()-START):.0f} img/s', flush=True); run = []
    if f > nextev: nextev += 0.2; print('EVAL ema', evaluate(ema), 'raw', evaluate(m), flush=True); save(ema, args.out)
save(ema, args.out); print('seconds', time.time() - START, 'steps', step, 'EVAL ema', evaluate(ema), 'raw', evaluate(m), flush=True)
os._exit(0)
