"""Writes model.onnx (opset 17, plain operators), the tokenizer, config.json and golden.json from a checkpoint, and checks them.

    python export.py reviews.pt BASE OUT        BASE: folder with tokenizer.json and vocab.txt of all-MiniLM-L6-v2
"""
import json, math, shutil, sys, os, numpy as np, onnx, torch
from onnx import helper as H, numpy_helper as NH, TensorProto as TP
from tokenizers import Tokenizer
from model import MiniLM

def rounded(sd):
    """The weights as shipped, as float32: word table int8 with one scale a row, matrices and tables float16, vectors float32."""
    out, quant = {}, None
    for k, v in sd.items():
        v = v.float()
        if k == 'word.weight':
            scale = (v.abs().amax(1, keepdim=True) / 127).clamp_min(1e-12)
            q = (v / scale).round().clamp(-127, 127).to(torch.int8)
            quant = (q.numpy(), scale.numpy()); out[k] = q.float() * scale
        else: out[k] = v.half().float() if v.ndim > 1 else v
    return out, quant

def build(sd, quant, layers=6, heads=12, d=384):
    nodes, inits = [], []
    def const(name, a): inits.append(NH.from_array(np.ascontiguousarray(a), name)); return name
    def op(kind, ins, out, **kw):
        nodes.append(H.make_node(kind, ins, [out], name=out.rstrip('/'), **kw)); return out
    def half(name, t):                       # a float16 initialiser and the Cast that makes it float32
        const(name + '.fp16', t.numpy().astype(np.float16)); return op('Cast', [name + '.fp16'], name, to=TP.FLOAT)
    vec = lambda name, t: const(name, t.numpy())
    def norm(x, key, out):
        p = out.strip('/').replace('/', '.')
        return op('LayerNormalization', [x, vec(p + '.weight', sd[key + '.weight']), vec(p + '.bias', sd[key + '.bias'])], out, axis=-1, epsilon=1e-12)
    def dense(x, key, out):
        p = out.strip('/').replace('/', '.')
        y = op('MatMul', [x, half(p + '.weight', sd[key + '.weight'].t())], out + '/MatMul')
        return op('Add', [y, vec(p + '.bias', sd[key + '.bias'])], out)
    f = lambda name, v: const(name, np.array(v, np.float32))
    i = lambda name, v: const(name, np.array(v, np.int64))

    const('embeddings.word_embeddings.int8', quant[0]); const('embeddings.word_embeddings.scale', quant[1])
    e = '/embeddings/word_embeddings'
    w = op('Gather', ['embeddings.word_embeddings.int8', 'input_ids'], e + '/rows', axis=0)
    w = op('Cast', [w], e + '/rows_float', to=TP.FLOAT)
    s = op('Gather', ['embeddings.word_embeddings.scale', 'input_ids'], e + '/row_scale', axis=0)
    w = op('Mul', [w, s], e)
    g = op('Gather', [half('embeddings.token_type_embeddings.weight', sd['seg.weight']), 'token_type_ids'], '/embeddings/token_type_embeddings', axis=0)
    n = op('Shape', ['input_ids'], '/embeddings/length', start=1, end=2)
    p = op('Slice', [half('embeddings.position_embeddings.weight', sd['pos.weight']), i('zero', [0]), n, i('axis0', [0])], '/embeddings/position_embeddings')
    x = op('Add', [op('Add', [w, g], '/embeddings/word_and_segment'), p], '/embeddings/sum')
    x = norm(x, 'norm', '/embeddings/LayerNorm')
    m = op('Cast', ['attention_mask'], '/mask', to=TP.FLOAT)
    bias = op('Mul', [op('Sub', [f('one', 1), op('Unsqueeze', [m, i('axes12', [1, 2])], '/mask/rows')], '/mask/closed'), f('minus_10000', -1e4)], '/attention_bias')
    i('split_heads', [0, 0, heads, d // heads]); i('join_heads', [0, 0, d])
    f('scale', 1 / math.sqrt(d // heads)); f('sqrt2', math.sqrt(2)); f('half', 0.5)
    for k in range(layers):
        L, S = f'/encoder/layer.{k}', f'/encoder/layer.{k}/attention/self'
        def head(name, key, perm):
            y = dense(x, f'layers.{k}.{key}', f'{S}/{name}')
            return op('Transpose', [op('Reshape', [y, 'split_heads'], f'{S}/{name}/split')], f'{S}/{name}/heads', perm=perm)
        q, kk, v = head('query', 'q', [0, 2, 1, 3]), head('key', 'k', [0, 2, 3, 1]), head('value', 'v', [0, 2, 1, 3])
        a = op('Mul', [op('MatMul', [q, kk], S + '/scores'), 'scale'], S + '/scores_scaled')
        a = op('Softmax', [op('Add', [a, bias], S + '/scores_masked')], S + '/probs', axis=-1)
        a = op('Transpose', [op('MatMul', [a, v], S + '/context_heads')], S + '/context_split', perm=[0, 2, 1, 3])
        a = op('Reshape', [a, 'join_heads'], S + '/context')
        a = dense(a, f'layers.{k}.o', L + '/attention/output/dense')
        x = norm(op('Add', [a, x], L + '/attention/output/sum'), f'layers.{k}.n1', L + '/attention/output/LayerNorm')
        y = dense(x, f'layers.{k}.up', L + '/intermediate/dense')
        z = op('Add', [op('Erf', [op('Div', [y, 'sqrt2'], L + '/intermediate/Div')], L + '/intermediate/Erf'), 'one'], L + '/intermediate/Add')
        z = op('Mul', [op('Mul', [y, z], L + '/intermediate/Mul'), 'half'], L + '/intermediate/gelu')
        z = dense(z, f'layers.{k}.down', L + '/output/dense')
        x = norm(op('Add', [z, x], L + '/output/sum'), f'layers.{k}.n2', L + '/output/LayerNorm')
    c = op('Unsqueeze', [m, i('axis_last', [2])], '/mask/columns')
    t = op('ReduceSum', [op('Mul', [x, c], '/pooling/masked'), i('axis1', [1])], '/pooling/total', keepdims=0)
    t = op('Div', [t, op('ReduceSum', [c, 'axis1'], '/pooling/count', keepdims=0)], '/pooling/mean')
    y = op('MatMul', [t, half('classifier.weight', sd['head.weight'].t())], '/classifier/MatMul')
    op('Add', [y, vec('classifier.bias', sd['head.bias'])], 'logits')
    io = [H.make_tensor_value_info(n, TP.INT64, ['batch', 'sequence']) for n in ('input_ids', 'attention_mask', 'token_type_ids')]
    graph = H.make_graph(nodes, 'reviews-minilm', io, [H.make_tensor_value_info('logits', TP.FLOAT, ['batch', 2])], inits)
    model = H.make_model(graph, opset_imports=[H.make_opsetid('', 17)], producer_name='limelight', ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model

REVIEWS = ["A warm, funny and quietly moving film; I left the cinema smiling.",
           "The plot makes no sense, the jokes fall flat and the lead looks bored throughout. Avoid.",
           "I expected very little, and for half an hour it was dull, but the second half is a triumph & the ending made me cry.<br /><br />Café scenes are lovely!"]

def golden(model, tok, seed):
    rows = []
    for text in REVIEWS:
        enc = tok.encode(text); ids = torch.tensor([enc.ids]); mask = torch.ones_like(ids)
        emb = model.word(ids).detach().requires_grad_()
        logits = model(ids, mask, word=emb); logits[0, 1].backward()
        g = emb.grad[0]
        rows.append(dict(text=text, tokens=enc.tokens, input_ids=enc.ids, logits=logits[0].tolist(), gradNorm=g.norm(dim=1).tolist(),
                         gradDotEmbedding=(g * emb.detach()[0]).sum(1).tolist()))
    return {'torch': torch.__version__, 'script': 'recipe/export.py', 'seed': seed, 'dtype': 'float32', 'target': 'logits[1] (positive)',
            'tap': '/embeddings/word_embeddings', 'gradNorm': 'L2 norm over the 384 features of d logit / d word embedding, per token',
            'gradDotEmbedding': 'sum over features of gradient * word embedding, per token', 'examples': rows}

def main(ckpt, src, out):
    os.makedirs(out, exist_ok=True)
    sd, quant = rounded(torch.load(ckpt)); m = MiniLM(); m.load_state_dict(sd); m.eval()
    onnx.save(build(sd, quant), out + '/model.onnx')
    t = json.load(open(src + '/tokenizer.json', encoding='utf8')); t['truncation'] = t['padding'] = None
    json.dump(t, open(out + '/tokenizer.json', 'w', encoding='utf8'), ensure_ascii=False, separators=(',', ':'))
    vocab = [w.rstrip('\n') for w in open(src + '/vocab.txt', encoding='utf8')]
    assert len(vocab) == sd['word.weight'].shape[0] and all(t['model']['vocab'][w] == k for k, w in enumerate(vocab)) and len(t['model']['vocab']) == len(vocab)
    tok = Tokenizer.from_file(out + '/tokenizer.json')
    assert tok.encode('Café NAÏVE').ids == tok.encode('cafe naive').ids
    c = dict(tokenizer_class='BertTokenizer', do_lower_case=True, do_basic_tokenize=True, strip_accents=None, tokenize_chinese_chars=True, never_split=None, model_max_length=512,
             unk_token='[UNK]', sep_token='[SEP]', pad_token='[PAD]', cls_token='[CLS]', mask_token='[MASK]', clean_up_tokenization_spaces=True)
    json.dump(c, open(out + '/tokenizer_config.json', 'w'), indent=2)
    c = dict(architectures=['BertForSequenceClassification'], model_type='bert', hidden_act='gelu', hidden_size=384, intermediate_size=1536, layer_norm_eps=1e-12, max_position_embeddings=512,
             num_attention_heads=12, num_hidden_layers=6, pad_token_id=0, position_embedding_type='absolute', type_vocab_size=2, vocab_size=30522, id2label={'0': 'negative', '1': 'positive'}, label2id={'negative': 0, 'positive': 1})
    json.dump(c, open(out + '/config.json', 'w'), indent=2)
    json.dump(golden(m, tok, 0), open(out + '/golden.json', 'w', encoding='utf8'), ensure_ascii=False, indent=1)
    import onnxruntime as ort
    o = ort.SessionOptions(); o.intra_op_num_threads = 1
    s = ort.InferenceSession(out + '/model.onnx', o)
    g = np.random.default_rng(0); worst = 0
    for n, k in ((1, 5), (3, 40), (2, 256), (1, 512)):
        ids = g.integers(1000, 30000, (n, k)); mask = np.ones_like(ids); mask[0, max(2, k - 3):] = 0
        want = m(torch.from_numpy(ids), torch.from_numpy(mask)).detach().numpy()
        worst = max(worst, np.abs(s.run(['logits'], dict(input_ids=ids, attention_mask=mask, token_type_ids=0 * ids))[0] - want).max())
    print('largest |onnx - pytorch| logit', worst, 'bytes', os.path.getsize(out + '/model.onnx')); assert worst < 1e-4
    for r in json.load(open(out + '/golden.json'))['examples']: print(r['logits'], r['tokens'][:8])

if __name__ == '__main__': main(*sys.argv[1:4])
