"""The pictures, read from cats-dogs.tar, and their augmentation."""
import io, os, random, tarfile, numpy as np, torch
from PIL import Image, ImageFilter
KERNELS = [Image.BILINEAR, Image.BICUBIC, Image.LANCZOS, Image.HAMMING, Image.BOX]
SIZE = 224

def load(folder, split):
    """[(jpeg bytes, label)] in order of name; 0 cat, 1 dog"""
    with tarfile.open(os.path.join(folder, 'cats-dogs.tar')) as tar:
        files = {'/'.join(m.name.split('/')[-3:]): tar.extractfile(m).read() for m in tar.getmembers() if m.isfile()}
    return [(files[f], y) for y, c in enumerate(('cat', 'dog')) for f in sorted(files) if f.startswith(f'{split}/{c}/')]
def split(items, seed=0, held=200):
    r = random.Random(seed); a, b = [], []
    for y in (0, 1):
        c = [x for x in items if x[1] == y]; r.shuffle(c); b += c[:held]; a += c[held:]
    return a, b
def tensor(im): return torch.from_numpy(np.asarray(im, np.float32).transpose(2, 0, 1) / 127.5 - 1)
def squash(jpeg, kernel=Image.BILINEAR): return tensor(Image.open(io.BytesIO(jpeg)).convert('RGB').resize((SIZE, SIZE), kernel))
def crop(jpeg, fraction=0.875, kernel=Image.BILINEAR):
    im = Image.open(io.BytesIO(jpeg)).convert('RGB'); s = min(im.size) * fraction; w, h = im.size
    return tensor(im.resize((SIZE, SIZE), kernel, box=((w - s) / 2, (h - s) / 2, (w + s) / 2, (h + s) / 2)))

def augment(jpeg, r):
    im = Image.open(io.BytesIO(jpeg)).convert('RGB'); w, h = im.size; k = r.choice(KERNELS)
    u = r.random()
    if u < 0.3: im = im.resize((SIZE, SIZE), k)                                            # the whole picture, as in use
    elif u < 0.9:                                                                          # a random part of it
        for _ in range(10):
            area, ratio = w * h * r.uniform(0.3, 1), (w / h) ** r.random() * np.exp(r.uniform(-.29, .29))
            cw, ch = (area * ratio) ** .5, (area / ratio) ** .5
            if cw <= w and ch <= h: break
        else: cw, ch = w, h
        x, y = r.uniform(0, w - cw), r.uniform(0, h - ch)
        im = im.resize((SIZE, SIZE), k, box=(x, y, x + cw, y + ch))
    else:                                                                                  # the whole picture, small, on a plain ground
        s = r.uniform(.5, .95); tw, th = int(SIZE * s * min(1, (w / h) ** .5)), int(SIZE * s * min(1, (h / w) ** .5))
        ground = Image.new('RGB', (SIZE, SIZE), tuple(r.randrange(256) for _ in range(3)))
        ground.paste(im.resize((tw, th), k), (r.randint(0, SIZE - tw), r.randint(0, SIZE - th))); im = ground
    if r.random() < .5: im = im.transpose(Image.FLIP_LEFT_RIGHT)
    if r.random() < .1: im = im.filter(ImageFilter.GaussianBlur(r.uniform(.3, 2)))
    x = tensor(im)
    if r.random() < .8:                                                                    # brightness, contrast, saturation, tint
        grey = x.mean(0, keepdim=True); x = grey + (x - grey) * r.uniform(.5, 1.5)
        m = x.mean(); x = (m + (x - m) * r.uniform(.6, 1.4) + r.uniform(-.3, .3))
        x = (x + torch.tensor([r.uniform(-.1, .1) for _ in range(3)])[:, None, None]).clamp(-1, 1)
    if r.random() < .05: x = x.mean(0, keepdim=True).expand(3, -1, -1).clone()
    if r.random() < .4:                                                                    # cut-out
        for _ in range(r.randint(1, 3)):
            a, b = r.randint(24, 90), r.randint(24, 90); i, j = r.randint(0, SIZE - a), r.randint(0, SIZE - b)
            x[:, i:i + a, j:j + b] = r.choice([0.0, float(x.mean()), r.uniform(-1, 1)])
    return x

class Augmented(torch.utils.data.IterableDataset):
    def __init__(s, items, batch, seed): s.items, s.batch, s.seed = items, batch, seed
    def __iter__(s):
        info = torch.utils.data.get_worker_info(); torch.set_num_threads(1); r = random.Random(s.seed * 100 + (info.id if info else 0))
        while True:
            order = list(s.items); r.shuffle(order)
            for a in range(0, len(order) - s.batch + 1, s.batch):
                c = order[a:a + s.batch]
                yield torch.stack([augment(x, r) for x, _ in c]), torch.tensor([y for _, y in c])
