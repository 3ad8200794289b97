/** Configurations as real repositories have them, cut to the fields that matter and those that could mislead. */
import { describe, expect, it } from 'vitest'
import { statedHead } from '../../../../lib/models/card.ts'
import { cardFrom } from '../../../../lib/models/making/card-from.ts'
import type { CardSources } from '../../../../lib/models/making/sources.ts'

const COMMON = { id: 'a-model', title: 'a/model', source: 'a/model at 0123', graph: null } as const
const image = (rest: Partial<CardSources>): CardSources => ({ ...COMMON, onnx: 'onnx/model.onnx', tokenizer: null, ...rest })
const text = (rest: Partial<CardSources>): CardSources => ({
  ...COMMON,
  onnx: 'onnx/model.onnx',
  tokenizer: 'tokenizer.json',
  tokenizerJson: { normalizer: { type: 'BertNormalizer', lowercase: true } },
  ...rest,
})
const fields = ({ guesses }: ReturnType<typeof cardFrom>) => guesses.map(({ field }) => field)

const HALVES = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5], rescale_factor: 1 / 255 }
const IMAGENET = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225], rescale_factor: 1 / 255 }
const ON_255 = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] }
const TWO = { id2label: { '0': 'cat', '1': 'dog' } }

describe('texts', () => {
  const SST2 = {
    architectures: ['DistilBertForSequenceClassification'],
    model_type: 'distilbert',
    id2label: { '0': 'NEGATIVE', '1': 'POSITIVE' },
    max_position_embeddings: 512,
  }

  it('DistilBERT on SST-2: nothing is guessed', () => {
    const made = cardFrom(text({ config: SST2, tokenizerConfig: { do_lower_case: true, model_max_length: 512 } }))
    expect(made.guesses).toEqual([])
    expect(made.card).toMatchObject({
      id: 'a-model',
      task: 'text-classification',
      labels: ['NEGATIVE', 'POSITIVE'],
      files: { onnx: 'onnx/model.onnx', tokenizer: 'tokenizer.json' },
      preprocessing: { kind: 'text', maxTokens: 512, truncation: 'head', lowercase: true },
      provenance: { architecture: 'DistilBertForSequenceClassification', recipe: 'a/model at 0123' },
    })
  })

  it('twelve labels come by index, not in the order of the file or of the alphabet', () => {
    const id2label = Object.fromEntries(['10', '11', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'].map((at) => [at, `l${at}`]))
    const { card } = cardFrom(text({ config: { ...SST2, id2label } }))
    expect(card.labels).toEqual(Array.from({ length: 12 }, (_, index) => `l${index}`))
  })

  it('labels are taken from label2id where id2label is missing', () => {
    const { card } = cardFrom(text({ config: { ...SST2, id2label: undefined, label2id: { good: 1, bad: 0 } } }))
    expect(card.labels).toEqual(['bad', 'good'])
  })

  it('several labels at once: the kind of problem is kept', () => {
    const config = { ...SST2, problem_type: 'multi_label_classification', id2label: { '0': 'toxic', '1': 'insult', '2': 'threat' } }
    const { card } = cardFrom(text({ config }))
    expect(card.labels).toEqual(['toxic', 'insult', 'threat'])
    expect(card.extra).toMatchObject({ problemType: 'multi_label_classification' })
    expect(statedHead(card)).toMatchObject({ labels: 3, link: 'sigmoid' })
  })

  it('LABEL_0 and LABEL_1 are placeholders, and said to be', () => {
    const made = cardFrom(text({ config: { ...SST2, id2label: { '0': 'LABEL_0', '1': 'LABEL_1' } } }))
    expect(made.card.labels).toEqual(['LABEL_0', 'LABEL_1'])
    expect(fields(made)).toEqual(['labels'])
  })

  it('no labels at all: the indices of what the graph answers', () => {
    const made = cardFrom(text({ config: { ...SST2, id2label: null }, graph: { input: [null, null], classes: 3 } }))
    expect(made.card.labels).toEqual(['0', '1', '2'])
    expect(made.guesses).toEqual([expect.objectContaining({ field: 'labels' })])
  })

  it('more labels than the graph answers: of another model', () => {
    expect(() => cardFrom(text({ config: SST2, graph: { input: [null, null], classes: 1 } }))).toThrow(/names 2 labels/)
  })

  it.each([
    ['RoBERTa keeps two positions for itself', { model_type: 'roberta', max_position_embeddings: 514 }, {}, 512],
    ['a tokenizer without a limit', { max_position_embeddings: 256 }, { model_max_length: 1e30 }, 256],
    ['the smaller limit counts', { max_position_embeddings: 512 }, { model_max_length: 128 }, 128],
    ['relative positions, as T5 and DeBERTa write them', { max_position_embeddings: -1 }, { model_max_length: 384 }, 384],
    ["GPT-2's name for it", { max_position_embeddings: undefined, n_positions: 1024 }, {}, 1024],
  ])('length: %s', (_name, config, tokenizerConfig, expected) => {
    const made = cardFrom(text({ config: { ...SST2, ...config }, tokenizerConfig }))
    expect(made.card.preprocessing).toMatchObject({ maxTokens: expected })
    expect(made.guesses).toEqual([])
  })

  it('a graph for 64 tokens takes 64', () => {
    const { card } = cardFrom(text({ config: SST2, graph: { input: [1, 64], classes: 2 } }))
    expect(card.preprocessing).toMatchObject({ maxTokens: 64 })
  })

  it('length: 512 is a guess where nothing limits it', () => {
    const made = cardFrom(text({ config: { ...SST2, max_position_embeddings: null } }))
    expect(made.card.preprocessing).toMatchObject({ maxTokens: 512 })
    expect(fields(made)).toEqual(['preprocessing.maxTokens'])
  })

  it.each([
    ['BertNormalizer', { normalizer: { type: 'BertNormalizer', lowercase: false } }, { do_lower_case: true }, false],
    ['a sequence', { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] } }, {}, true],
    ['no normaliser', { normalizer: null }, { do_lower_case: false }, false],
    ['only the configuration', undefined, { do_lower_case: true }, true],
  ])('lower case: %s', (_name, tokenizerJson, tokenizerConfig, expected) => {
    const made = cardFrom(text({ config: SST2, tokenizerJson, tokenizerConfig }))
    expect(made.card.preprocessing).toMatchObject({ lowercase: expected })
    expect(made.guesses).toEqual([])
  })

  it('without a tokenizer.json: what to do', () => {
    expect(() => cardFrom(text({ config: SST2, tokenizer: null }))).toThrow(/save_pretrained/)
  })

  it('no config.json: a text model by its tokenizer, as a guess', () => {
    const made = cardFrom(text({ graph: { input: [null, null], classes: 2 } }))
    expect(made.card.task).toBe('text-classification')
    expect(fields(made)).toEqual(['task', 'preprocessing.maxTokens', 'labels'])
  })
})

describe('pictures', () => {
  const VIT = { architectures: ['ViTForImageClassification'], model_type: 'vit', image_size: 224, ...TWO }

  it('ViT: squashed to 224, values / 127.5 - 1', () => {
    const preprocessor = {
      image_processor_type: 'ViTImageProcessor',
      do_resize: true,
      size: { height: 224, width: 224 },
      resample: 2,
      do_normalize: true,
      do_rescale: true,
      ...HALVES,
    }
    const made = cardFrom(image({ config: VIT, preprocessor }))
    expect(made.guesses).toEqual([])
    expect(made.card.preprocessing).toEqual({
      kind: 'image',
      width: 224,
      height: 224,
      resize: 'squash',
      layout: 'NCHW',
      mean: [127.5, 127.5, 127.5],
      std: [127.5, 127.5, 127.5],
      colour: 'RGB',
    })
  })

  it.each([
    ['bicubic, which a card can name', 3, { filter: 'bicubic' }, []],
    ['Lanczos, which it cannot', 1, {}, ['preprocessing.filter']],
  ])('a processor that resizes by %s', (_name, resample, expected, guessed) => {
    const made = cardFrom(image({ config: VIT, preprocessor: { size: { height: 224, width: 224 }, resample, ...HALVES } }))
    expect(made.card.preprocessing).toMatchObject(expected)
    expect(fields(made)).toEqual(guessed)
    const timm = { ...TIMM, label_names: ['a', 'b', 'c'], pretrained_cfg: { ...TIMM.pretrained_cfg, interpolation: 'bicubic' } }
    expect(cardFrom(image({ config: timm })).card.preprocessing).toMatchObject({ filter: 'bicubic' })
  })

  it("ViT as its first files had it: a bare number is both sides, and the processor's factor is the usual one", () => {
    const preprocessor = { feature_extractor_type: 'ViTFeatureExtractor', do_resize: true, size: 224, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] }
    const made = cardFrom(image({ config: VIT, preprocessor }))
    expect(made.card.preprocessing).toMatchObject({ width: 224, height: 224, resize: 'squash', mean: [127.5, 127.5, 127.5] })
    expect(made.guesses).toEqual([])
  })

  it.each([
    ['224: resized to 256, cropped', 224, { resize: 'crop', cropFraction: 0.875, width: 224 }],
    ['384: squashed', 384, { resize: 'squash', width: 384, height: 384 }],
  ])('ConvNeXT %s', (_name, edge, expected) => {
    const preprocessor = { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: edge }, crop_pct: 0.875, ...IMAGENET }
    const made = cardFrom(image({ config: { ...TWO, architectures: ['ConvNextForImageClassification'] }, preprocessor }))
    expect(made.card.preprocessing).toMatchObject({ ...expected, ...ON_255 })
    expect(made.guesses).toEqual([])
  })

  it('MobileNet v2: the shorter edge to 256, the middle 224', () => {
    const preprocessor = {
      image_processor_type: 'MobileNetV2ImageProcessor',
      size: { shortest_edge: 256 },
      do_center_crop: true,
      crop_size: { height: 224, width: 224 },
      ...HALVES,
    }
    const { card, guesses } = cardFrom(image({ config: VIT, preprocessor }))
    expect(card.preprocessing).toMatchObject({ width: 224, height: 224, resize: 'crop', cropFraction: 0.875 })
    expect(guesses).toEqual([])
  })

  it('LeViT enlarges the edge that its file names', () => {
    const preprocessor = {
      feature_extractor_type: 'LevitFeatureExtractor',
      size: { shortest_edge: 224 },
      do_center_crop: true,
      crop_size: { height: 224, width: 224 },
      ...IMAGENET,
    }
    expect(cardFrom(image({ config: VIT, preprocessor })).card.preprocessing).toMatchObject({ cropFraction: 0.875 })
  })

  it('DeiT squashes before it crops, which is said', () => {
    const preprocessor = {
      size: { height: 256, width: 256 },
      do_center_crop: true,
      crop_size: { height: 224, width: 224 },
      ...IMAGENET,
    }
    const made = cardFrom(image({ config: VIT, preprocessor }))
    expect(made.card.preprocessing).toMatchObject({ width: 224, height: 224, cropFraction: 0.875 })
    expect(fields(made)).toEqual(['preprocessing.resize'])
  })

  it('MobileViT reads blue first and does not normalise', () => {
    const preprocessor = {
      size: { shortest_edge: 288 },
      do_center_crop: true,
      crop_size: { height: 256, width: 256 },
      do_normalize: false,
      do_flip_channel_order: true,
    }
    const made = cardFrom(image({ config: VIT, preprocessor }))
    expect(made.card.preprocessing).toMatchObject({ colour: 'BGR', mean: [0, 0, 0], std: [255, 255, 255], cropFraction: 256 / 288 })
    expect(made.guesses).toEqual([])
  })

  it('pixels as they are where nothing is rescaled or normalised', () => {
    const preprocessor = { size: { height: 64, width: 96 }, do_rescale: false, do_normalize: false }
    const { card } = cardFrom(image({ config: VIT, preprocessor }))
    expect(card.preprocessing).toMatchObject({ width: 96, height: 64, mean: [0, 0, 0], std: [1, 1, 1] })
  })

  it("EfficientNet's offset: value / 127.5 - 1, then the mean", () => {
    const preprocessor = { size: { height: 224, width: 224 }, rescale_factor: 1 / 127.5, rescale_offset: true, image_mean: [0, 0, 0], image_std: [1, 1, 1] }
    const { card } = cardFrom(image({ config: VIT, preprocessor }))
    expect(card.preprocessing).toMatchObject({ mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] })
  })

  const TIMM = {
    architecture: 'resnet18',
    num_classes: 3,
    num_features: 512,
    pretrained_cfg: {
      tag: 'a1_in1k',
      input_size: [3, 224, 224],
      interpolation: 'bilinear',
      crop_pct: 0.95,
      crop_mode: 'center',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      num_classes: 3,
    },
  }

  it("timm's ResNet: everything from pretrained_cfg but the names of the classes", () => {
    const made = cardFrom(image({ config: TIMM }))
    expect(made.card).toMatchObject({
      task: 'image-classification',
      labels: ['0', '1', '2'],
      provenance: { architecture: 'resnet18' },
      preprocessing: { width: 224, height: 224, resize: 'crop', cropFraction: 0.95, ...ON_255 },
    })
    expect(fields(made)).toEqual(['labels'])
  })

  it('timm with names and a squashed picture', () => {
    const config = { ...TIMM, label_names: ['a', 'b', 'c'], pretrained_cfg: { ...TIMM.pretrained_cfg, crop_mode: 'squash', crop_pct: 1 } }
    const made = cardFrom(image({ config }))
    expect(made.card.labels).toEqual(['a', 'b', 'c'])
    expect(made.card.preprocessing).toMatchObject({ resize: 'squash' })
    expect(made.guesses).toEqual([])
  })

  it('a graph of another size is believed before the file', () => {
    const preprocessor = { size: { height: 224, width: 224 }, ...HALVES }
    const made = cardFrom(image({ config: VIT, preprocessor, graph: { input: [null, 3, 384, 384], classes: 2 } }))
    expect(made.card.preprocessing).toMatchObject({ width: 384, height: 384 })
    expect(fields(made)).toEqual(['preprocessing.width, preprocessing.height'])
  })

  it("TensorFlow's layout is read off the graph", () => {
    const preprocessor = { size: { height: 224, width: 224 }, ...HALVES }
    const { card } = cardFrom(image({ config: VIT, preprocessor, graph: { input: [1, 224, 224, 3], classes: 2 } }))
    expect(card.preprocessing).toMatchObject({ layout: 'NHWC', width: 224 })
  })

  it("nothing but a graph and labels: ImageNet's usual, each a guess", () => {
    const made = cardFrom(image({ config: { architectures: VIT.architectures, ...TWO }, graph: { input: [1, 3, 299, 299], classes: 2 } }))
    expect(made.card.preprocessing).toMatchObject({ width: 299, resize: 'crop', cropFraction: 0.875, ...ON_255 })
    expect(fields(made)).toEqual(['preprocessing.resize', 'preprocessing.mean, preprocessing.std'])
  })

  it('four channels are refused in words', () => {
    const preprocessor = { size: { height: 64, width: 64 }, ...HALVES }
    const graph = { input: [1, 4, 64, 64], classes: 2 }
    expect(() => cardFrom(image({ config: VIT, preprocessor, graph }))).toThrow(/4 channels/)
  })
})

describe('what is no classifier is refused in words', () => {
  it.each([
    ['WhisperForConditionalGeneration', /writes text/],
    ['LlamaForCausalLM', /writes text/],
    ['BertForMaskedLM', /masked words/],
    ['BertForTokenClassification', /labels every word/],
    ['Wav2Vec2ForCTC', /sound/],
    ['DetrForObjectDetection', /marks objects/],
    ['CLIPModel', /compares pictures with sentences/],
    ['BertModel', /no classification head/],
  ])('%s', (architecture, why) => {
    expect(() => cardFrom(text({ config: { architectures: [architecture] } }))).toThrow(why)
  })

  it('nothing that says what it reads', () => {
    expect(() => cardFrom(image({ config: {} }))).toThrow(/what this model reads/)
  })

  it('a config.json that is a list', () => {
    expect(() => cardFrom(image({ config: [] }))).toThrow(/config\.json cannot be read/)
  })
})
