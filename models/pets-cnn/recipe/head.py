"""Step 1: the linear layer alone, by logistic regression on the pooled features of augmented pictures.

    python head.py --data DIR --base MOBILENET_V1_TFJS --out pets-head.pt
"""
import argparse, os, torch, torch.nn.functional as F
from data import Augmented, load, split, squash
from model import PetsCnn, folded

cli = argparse.ArgumentParser()
cli.add_argument('--data', default=os.environ.get('LIMELIGHT_DATA'), help='folder with cats-dogs.tar')
cli.add_argument('--base', required=True, help='folder with MobileNet v1 1.0 224 as a TensorFlow.js LayersModel')
cli.add_argument('--out', default='pets-head.pt')
args = cli.parse_args()
torch.manual_seed(0)
train, held = split(load(args.data, 'train'))
model = PetsCnn(folded(args.base)).to(memory_format=torch.channels_last)


@torch.no_grad()
def features(x):
    with torch.autocast('cpu', dtype=torch.bfloat16): return model.features(x.contiguous(memory_format=torch.channels_last)).float().mean((2, 3))


source = iter(Augmented(train, 64, 7)); X, Y = [], []
for _ in range(120):
    x, y = next(source); X.append(features(x)); Y.append(y)
X, Y = torch.cat(X), torch.cat(Y)
V = torch.cat([features(torch.stack([squash(j) for j, _ in held[a:a + 50]])) for a in range(0, len(held), 50)]); VY = torch.tensor([y for _, y in held])
W, B, best = torch.zeros(2, 1024, requires_grad=True), torch.zeros(2, requires_grad=True), (-1,)
for decay in (1e-4, 1e-3, 1e-2):
    with torch.no_grad(): W.zero_(); B.zero_()
    solver = torch.optim.LBFGS([W, B], max_iter=150, line_search_fn='strong_wolfe')
    def closure():
        solver.zero_grad(); loss = F.cross_entropy(X @ W.t() + B, Y) + decay * W.square().sum(); loss.backward(); return loss
    solver.step(closure)
    right = ((V @ W.t() + B).argmax(1) == VY).float().mean().item(); print('decay', decay, 'held out', right)
    if right > best[0]: best = (right, W.detach().clone(), B.detach().clone())
with torch.no_grad(): model.head.weight.copy_(best[1]); model.head.bias.copy_(best[2])
torch.save({k: v.contiguous() for k, v in model.state_dict().items()}, args.out)
