"""MiniLM (BERT, 6 layers, 384 wide) with mean pooling and one linear layer, in plain PyTorch."""
import torch, torch.nn as nn, torch.nn.functional as F

class Layer(nn.Module):
    def __init__(s, d, h, f):
        super().__init__()
        s.h = h
        s.q, s.k, s.v, s.o = (nn.Linear(d, d) for _ in range(4))
        s.up, s.down = nn.Linear(d, f), nn.Linear(f, d)
        s.n1, s.n2 = nn.LayerNorm(d, eps=1e-12), nn.LayerNorm(d, eps=1e-12)

    def forward(s, x, mask, p):
        n, t, d = x.shape
        split = lambda y: y.view(n, t, s.h, -1).transpose(1, 2)
        a = F.scaled_dot_product_attention(split(s.q(x)), split(s.k(x)), split(s.v(x)), attn_mask=mask)
        a = s.o(a.transpose(1, 2).reshape(n, t, d))
        x = norm(s.n1, x + drop(a, p))
        return norm(s.n2, x + drop(s.down(F.gelu(s.up(x))), p))

def norm(n, x):
    return F.layer_norm(x, n.normalized_shape, n.weight.to(x.dtype), n.bias.to(x.dtype), n.eps)

def drop(x, p):
    """Dropout with one mask per text (the same features for every token): as good, and nearly free on a CPU."""
    if not p: return x
    return x * ((torch.rand(x.shape[0], 1, x.shape[2]) >= p).to(x.dtype) / (1 - p))

class MiniLM(nn.Module):
    def __init__(s, vocab=30522, d=384, layers=6, heads=12, ffn=1536, positions=512, labels=2):
        super().__init__()
        s.word, s.pos, s.seg = nn.Embedding(vocab, d), nn.Embedding(positions, d), nn.Embedding(2, d)
        s.norm = nn.LayerNorm(d, eps=1e-12)
        s.layers = nn.ModuleList(Layer(d, heads, ffn) for _ in range(layers))
        s.head = nn.Linear(d, labels)
        nn.init.normal_(s.head.weight, std=0.02); nn.init.zeros_(s.head.bias)

    def forward(s, ids, mask, p=0.0, dtype=torch.float32, word=None):
        word = s.word(ids) if word is None else word
        x = word + s.pos.weight[:ids.shape[1]] + s.seg.weight[0]
        x = drop(norm(s.norm, x).to(dtype), p)
        bias = None if mask.all() else ((1 - mask[:, None, None, :].float()) * -1e4).to(dtype)
        for layer in s.layers: x = layer(x, bias, p)
        m = mask[:, :, None].float()
        pooled = (x.float() * m).sum(1) / m.sum(1)
        with torch.autocast('cpu', enabled=False):
            return s.head(drop(pooled[:, None], p)[:, 0])

NAMES = {'q': 'attention.self.query', 'k': 'attention.self.key', 'v': 'attention.self.value', 'o': 'attention.output.dense',
         'n1': 'attention.output.LayerNorm', 'up': 'intermediate.dense', 'down': 'output.dense', 'n2': 'output.LayerNorm'}

def load_pretrained(model, sd):
    """Copies a Hugging Face BERT state dict (all-MiniLM-L6-v2) into the model."""
    own = {}
    for a, b in (('word', 'word_embeddings'), ('pos', 'position_embeddings'), ('seg', 'token_type_embeddings')):
        own[a + '.weight'] = sd[f'embeddings.{b}.weight']
    for w in ('weight', 'bias'):
        own['norm.' + w] = sd['embeddings.LayerNorm.' + w]
        for i in range(len(model.layers)):
            for a, b in NAMES.items(): own[f'layers.{i}.{a}.{w}'] = sd[f'encoder.layer.{i}.{b}.{w}']
    missing, extra = model.load_state_dict(own, strict=False)
    assert not extra and set(missing) == {'head.weight', 'head.bias'}, (missing, extra)
