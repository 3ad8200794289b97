"""MobileNet v1 up to conv_pw_12 (BatchNorm folded, last stride taken away), average pooling and one linear layer: PyTorch."""
import json, os, numpy as np, torch, torch.nn as nn, torch.nn.functional as F

STRIDES = {'conv1': 2, 'conv_dw_2': 2, 'conv_dw_4': 2, 'conv_dw_6': 2}     # conv_dw_12: 2 in MobileNet v1, 1 here
LAYERS = ['conv1'] + [f'conv_{k}_{i}' for i in range(1, 13) for k in ('dw', 'pw')]

def read_tfjs(folder):
    """name -> array, of every weight whose shard is there."""
    spec = json.load(open(os.path.join(folder, 'model.json')))
    out = {}
    for group in spec['weightsManifest']:
        paths = [os.path.join(folder, p) for p in group['paths']]
        if not all(map(os.path.exists, paths)): continue
        raw, at = b''.join(open(p, 'rb').read() for p in paths), 0
        for w in group['weights']:
            n = int(np.prod(w['shape'])); assert w['dtype'] == 'float32' and 'quantization' not in w
            out[w['name']] = np.frombuffer(raw, np.float32, n, at).reshape(w['shape']); at += 4 * n
    return out

def folded(folder, eps=1e-3):
    """Convolution kernels (OIHW) and biases with the BatchNorm behind each folded in."""
    w, sd = read_tfjs(folder), {}
    for name in LAYERS:
        k = w[name + ('/depthwise_kernel' if '_dw_' in name else '/kernel')].astype(np.float64)
        k = k.transpose(2, 3, 0, 1) if '_dw_' in name else k.transpose(3, 2, 0, 1)
        g, b, m, v = (w[f'{name}_bn/{x}'].astype(np.float64) for x in ('gamma', 'beta', 'moving_mean', 'moving_variance'))
        s = g / np.sqrt(v + eps)
        sd[name + '.weight'] = torch.tensor(k * s[:, None, None, None], dtype=torch.float32)
        sd[name + '.bias'] = torch.tensor(b - m * s, dtype=torch.float32)
    return sd

class PetsCnn(nn.Module):
    def __init__(s, sd=None):
        super().__init__()
        c = 3
        for name in LAYERS:
            o = 32 if name == 'conv1' else c if '_dw_' in name else min(1024, {1: 64, 2: 128, 3: 128, 4: 256, 5: 256}.get(int(name[8:]), 512 if int(name[8:]) < 12 else 1024))
            s.add_module(name, nn.Conv2d(c, o, 1 if '_pw_' in name else 3, STRIDES.get(name, 1), groups=c if '_dw_' in name else 1)); c = o
        s.head = nn.Linear(c, 2); nn.init.zeros_(s.head.weight); nn.init.zeros_(s.head.bias)
        if sd is not None: s.load_state_dict(sd, strict=False)

    def block(s, x, name):
        if '_pw_' not in name: x = F.pad(x, (0, 1, 0, 1) if STRIDES.get(name) else (1, 1, 1, 1))
        return getattr(s, name)(x).clamp(0, 6)

    def features(s, x, start=0, stop=len(LAYERS)):
        for name in LAYERS[start:stop]: x = s.block(x, name)
        return x

    def forward(s, x): return s.head(s.features(x).mean((2, 3)))
