/** Small models as repositories hold them: exported networks of the fixtures, with the files beside them that people have. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

const FIXTURES = resolve(import.meta.dirname, '../fixtures')

function network(name: string): Promise<Buffer> {
  return readFile(join(FIXTURES, 'networks', `${name}.onnx`))
}

/** Its vocabulary has 50 entries, as many as the word embedding of the text fixtures. */
const WORDS =
  '[PAD] [UNK] [CLS] [SEP] [MASK] the a film was dull story and good bad it is this of in made any sense nothing warm funny wonderful surprise . , i you we they not very so but all one two three four five six seven eight nine ten ##s ##ed'.split(
    ' ',
  )

function tokenizerJson(): string {
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  const one = (id: string) => ({ SpecialToken: { id, type_id: 0 } })
  return JSON.stringify({
    version: '1.0',
    added_tokens: special.map((content) => ({ id: WORDS.indexOf(content), content, ...flags })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [one('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, one('[SEP]')],
      pair: [one('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, one('[SEP]'), { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((id) => [id, { id, ids: [WORDS.indexOf(id)], tokens: [id] }]),
      ),
    },
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(WORDS.map((word, id) => [word, id])),
    },
  })
}

type Files = Record<string, Uint8Array | string>

/** A BERT of five labels. */
export async function tinyBert(): Promise<Files> {
  return {
    'onnx/model.onnx': await network('bert'),
    'config.json': JSON.stringify({
      architectures: ['BertForSequenceClassification'],
      model_type: 'bert',
      id2label: { '0': 'awful', '1': 'bad', '2': 'fair', '3': 'good', '4': 'great' },
      max_position_embeddings: 32,
    }),
    'tokenizer.json': tokenizerJson(),
    'tokenizer_config.json': JSON.stringify({
      do_lower_case: true,
      model_max_length: 16,
      mask_token: '[MASK]',
      pad_token: '[PAD]',
    }),
  }
}

/** A ResNet of seven classes, as timm's with names. */
export async function tinyResNet(): Promise<Files> {
  return {
    'model.onnx': await network('resnet'),
    'config.json': JSON.stringify({
      architecture: 'resnet18',
      num_classes: 7,
      label_names: ['ant', 'bee', 'cat', 'dog', 'elk', 'fox', 'gnu'],
      pretrained_cfg: {
        input_size: [3, 40, 48],
        interpolation: 'bilinear',
        crop_pct: 0.875,
        crop_mode: 'center',
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
        num_classes: 7,
      },
    }),
  }
}
