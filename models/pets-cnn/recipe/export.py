"""Writes model.onnx (opset 17) and tfjs/ (Keras LayersModel) from one checkpoint, both with the same float16-rounded kernels.

    python export.py pets.pt OUT
"""
import json, os, sys, numpy as np, onnx, torch
from onnx import helper as H, numpy_helper as NH, TensorProto as TP
from model import PetsCnn, LAYERS, STRIDES

def rounded(sd): return {k: (v.half().float() if v.ndim > 1 else v.float()) for k, v in sd.items()}

def build_onnx(sd):
    nodes, inits = [], []
    def const(name, a): inits.append(NH.from_array(np.ascontiguousarray(a), name)); return name
    def op(kind, ins, out, **kw): nodes.append(H.make_node(kind, ins, [out], name=out, **kw)); return out
    def half(name): const(name + '.fp16', sd[name].numpy().astype(np.float16)); return op('Cast', [name + '.fp16'], name, to=TP.FLOAT)
    vec = lambda name: const(name, sd[name].numpy())
    const('zero', np.float32(0)); const('six', np.float32(6))
    x = 'image'
    for n in LAYERS:
        w = sd[n + '.weight']; k = w.shape[2]; s = STRIDES.get(n, 1)
        x = op('Conv', [x, half(n + '.weight'), vec(n + '.bias')], n, kernel_shape=[k, k], strides=[s, s], dilations=[1, 1], group=w.shape[0] if '_dw_' in n else 1,
               pads=[0, 0, 0, 0] if k == 1 else [0, 0, 1, 1] if s == 2 else [1, 1, 1, 1])
        x = op('Clip', [x, 'zero', 'six'], n + '_relu')
    x = op('Flatten', [op('GlobalAveragePool', [x], 'global_average_pooling')], 'pooled', axis=1)
    op('Gemm', [x, half('head.weight'), vec('head.bias')], 'logits', transB=1)
    g = H.make_graph(nodes, 'pets-cnn', [H.make_tensor_value_info('image', TP.FLOAT, ['batch', 3, 224, 224])], [H.make_tensor_value_info('logits', TP.FLOAT, ['batch', 2])], inits)
    m = H.make_model(g, opset_imports=[H.make_opsetid('', 17)], producer_name='limelight', ir_version=8)
    onnx.checker.check_model(m, full_check=True)
    return m

def write_tfjs(sd, out):
    os.makedirs(out, exist_ok=True)
    layers, weights, blob, last = [], [], bytearray(), None
    def layer(kind, name, **cfg):
        nonlocal last
        layers.append(dict(class_name=kind, name=name, config=dict(name=name, trainable=True, **cfg) if kind != 'InputLayer' else dict(name=name, **cfg), inbound_nodes=[] if last is None else [[[last, 0, 0, {}]]])); last = name
    def weight(name, a, half):
        weights.append(dict(name=name, shape=list(a.shape), dtype='float32', **({'quantization': {'dtype': 'float16', 'original_dtype': 'float32'}} if half else {})))
        blob.extend(np.ascontiguousarray(a).astype('<f2' if half else '<f4').tobytes())
    layer('InputLayer', 'image', batch_input_shape=[None, 224, 224, 3], dtype='float32', sparse=False)
    for n in LAYERS:
        w, b = sd[n + '.weight'].numpy(), sd[n + '.bias'].numpy(); k, s = w.shape[2], STRIDES.get(n, 1)
        if s == 2: layer('ZeroPadding2D', n + '_pad', padding=[[0, 1], [0, 1]], data_format='channels_last')
        conv = dict(kernel_size=[k, k], strides=[s, s], padding='valid' if s == 2 else 'same', data_format='channels_last', dilation_rate=[1, 1], activation='linear', use_bias=True)
        if '_dw_' in n: layer('DepthwiseConv2D', n, depth_multiplier=1, **conv); weight(n + '/depthwise_kernel', w.transpose(2, 3, 0, 1), True)
        else: layer('Conv2D', n, filters=w.shape[0], **conv); weight(n + '/kernel', w.transpose(2, 3, 1, 0), True)
        weight(n + '/bias', b, False)
        layer('Activation', n + '_relu', activation='relu6')
    layer('GlobalAveragePooling2D', 'global_average_pooling', data_format='channels_last')
    layer('Dense', 'logits', units=2, activation='linear', use_bias=True)
    weight('logits/kernel', sd['head.weight'].numpy().T, True); weight('logits/bias', sd['head.bias'].numpy(), False)
    top = dict(keras_version='2.15.0', backend='tensorflow', model_config=dict(class_name='Functional', config=dict(name='pets_cnn', layers=layers, input_layers=[['image', 0, 0]], output_layers=[['logits', 0, 0]])))
    json.dump(dict(format='layers-model', generatedBy='limelight recipe/export.py', convertedBy=None, modelTopology=top, weightsManifest=[dict(paths=['weights.bin'], weights=weights)]), open(out + '/model.json', 'w'), separators=(',', ':'))
    open(out + '/weights.bin', 'wb').write(blob)

def main(ckpt, out):
    os.makedirs(out, exist_ok=True)
    sd = rounded(torch.load(ckpt)); m = PetsCnn(); m.load_state_dict(sd); m.eval()
    onnx.save(build_onnx(sd), out + '/model.onnx'); write_tfjs(sd, out + '/tfjs')
    import onnxruntime as ort
    s = ort.InferenceSession(out + '/model.onnx'); x = np.random.default_rng(0).uniform(-1, 1, (2, 3, 224, 224)).astype(np.float32)
    worst = np.abs(s.run(None, {'image': x})[0] - m(torch.from_numpy(x)).detach().numpy()).max()
    print('largest |onnx - pytorch| logit', worst, {f: os.path.getsize(os.path.join(out, f)) for f in ('model.onnx', 'tfjs/model.json', 'tfjs/weights.bin')}); assert worst < 1e-4

if __name__ == '__main__': main(*sys.argv[1:3])
