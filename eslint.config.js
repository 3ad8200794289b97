import tseslint from 'typescript-eslint'
import importX from 'eslint-plugin-import-x'
import reactHooks from 'eslint-plugin-react-hooks'
import prettier from 'eslint-config-prettier'

/** Dependencies point one way: docs/architecture.md draws it, test/unit/architecture/layers.test.ts tries it. */
const zone = (target, from, message) => ({ target, from, message })
/** Folders and files of lib. */
const lib = (...names) => names.map((name) => `./lib/${name}`)
/** From an input to a result: everything below serves these, and none of it knows them. */
const ENTRIES = [
  'compare',
  'prepare.ts',
  'explain.ts',
  'evaluate.ts',
  'activation-statistics.ts',
  'try-model.ts',
  'note-model.ts',
]

/** The rooms of the ONNX engine, each with those that it may look into (docs/engine.md draws them). */
const ROOMS = {
  graph: [],
  operators: ['graph'],
  file: ['graph'],
  run: ['graph', 'file'],
  gradient: ['graph', 'operators'],
  prepare: ['graph', 'operators', 'file', 'run'],
  question: ['graph', 'operators', 'run', 'gradient'],
}
const roomZones = Object.entries(ROOMS).map(([room, open]) =>
  zone(
    `./lib/engine/onnx/${room}`,
    // `model` looks into all of them, and none of them into it.
    [...Object.keys(ROOMS), 'model']
      .filter((other) => other !== room && !open.includes(other))
      .map((other) => `./lib/engine/onnx/${other}`),
    `${room} looks into ${open.length === 0 ? 'no other room' : open.join(', ')} only`,
  ),
)

export default tseslint.config(
  {
    ignores: [
      'node_modules/',
      '.next/',
      'data/',
      'dist/',
      'prisma/generated/',
      'app/_graphql/generated/',
      'next-env.d.ts',
      'test-results/',
      '.venv/',
    ],
  },
  tseslint.configs.strict,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers stand in most messages: shapes, counts, limits. They read as they should.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Texts are counted in code points here, as Python counts them, and [...text] is that.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // `() => close()` and `(value) => seen.push(value)` are how a callback is written here, `return put(node)` how a case ends.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Vitest's asymmetric matchers (expect.objectContaining, expect.any) are `any`, and stand in every expected answer.
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    plugins: { 'import-x': importX },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // What is in node_modules has no way back into here.
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            zone('./app', './server', 'pages know GraphQL, not the server'),
            zone('./app', './lib', 'pages know GraphQL, not lib'),
            zone('./lib', './server', 'lib is pure'),
            zone('./lib', './app', 'lib is pure'),
            zone('./lib', './prisma', 'lib is pure'),
            zone('./server', './app', 'the server serves pages, it does not import them'),
            zone(
              './lib/tensor',
              lib(
                'engine',
                'image',
                'text',
                'render',
                'target',
                'models',
                'hub',
                'methods',
                'metrics',
                'generators',
                ...ENTRIES,
              ),
              'tensor is the bottom',
            ),
            zone(
              './lib/engine',
              lib('image', 'text', 'render', 'target', 'models', 'methods', 'metrics', 'generators', ...ENTRIES),
              'engines know tensors only',
            ),
            zone('./lib/engine/onnx', './lib/engine/tfjs', 'engines do not know each other'),
            zone('./lib/engine/tfjs', './lib/engine/onnx', 'engines do not know each other'),
            zone('./lib/engine/*.ts', ['./lib/engine/onnx', './lib/engine/tfjs'], 'the contract knows no engine'),
            ...roomZones,
            zone(
              './lib/image',
              lib('engine', 'text', 'render', 'target', 'methods', 'metrics', 'generators', ...ENTRIES),
              'image knows tensors only',
            ),
            zone(
              './lib/text',
              lib('engine', 'image', 'render', 'target', 'methods', 'metrics', 'generators', ...ENTRIES),
              'text knows tensors only',
            ),
            zone(
              './lib/render',
              lib('engine', 'text', 'target', 'models', 'hub', 'methods', 'metrics', 'generators', ...ENTRIES),
              'render knows tensors and pictures only',
            ),
            zone(
              './lib/target',
              lib('image', 'text', 'render', 'models', 'hub', 'methods', 'metrics', 'generators', ...ENTRIES),
              'a target is a scalar of outputs, whoever asks for it',
            ),
            zone(
              './lib/hub',
              lib('image', 'text', 'render', 'target', 'models', 'methods', 'metrics', 'generators', ...ENTRIES),
              'the hub brings files, whatever is in them',
            ),
            ...lib('errors.ts', 'suggest.ts').map((file) =>
              zone(
                file,
                lib('engine', 'image', 'text', 'render', 'target', 'models', 'hub', 'methods', 'metrics', ...ENTRIES),
                'errors and suggestions are below everything',
              ),
            ),
            zone(
              './lib/models',
              lib('methods', 'metrics', 'generators', ...ENTRIES),
              'models know cards, files and engines, not what is asked of them',
            ),
            zone(
              './lib/methods',
              lib('metrics', 'generators', 'engine/onnx', 'engine/tfjs', 'hub', ...ENTRIES),
              'methods ask any model, through the contract',
            ),
            zone(
              ['./lib/metrics', './lib/generators'],
              lib('engine/onnx', 'engine/tfjs', 'hub', ...ENTRIES),
              'they ask any model, through the contract',
            ),
            zone(
              './lib/statistics',
              lib('methods', 'metrics', 'generators', 'engine/onnx', 'engine/tfjs', 'hub', ...ENTRIES),
              'statistics ask any model, through the contract, and explain nothing',
            ),
            zone(
              './lib/compare',
              lib(
                'engine',
                'image',
                'text',
                'render',
                'target',
                'models',
                'hub',
                'methods',
                'generators',
                'explain.ts',
              ),
              'what is said of results knows their numbers only',
            ),
            zone('./lib/metrics', './lib/generators', 'metrics judge, they do not make inputs'),
            zone('./lib/generators', './lib/metrics', 'generators make inputs, they do not judge'),
            zone(
              './server/jobs/kinds',
              ['./server/services', './server/schema', './server/http', './server/database', './prisma'],
              'a kind of job is data, loaded by the server and its workers',
            ),
            zone('./server/services', ['./server/schema', './server/http'], 'services know no GraphQL and no HTTP'),
          ],
        },
      ],
    },
    settings: { 'import-x/resolver-next': [importX.createNodeResolver({ extensions: ['.ts', '.tsx', '.js'] })] },
  },
  {
    files: ['lib/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', { name: 'process', message: 'lib reads no environment' }],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'randomness is seeded and passed in' },
        { object: 'Date', property: 'now', message: 'lib has no clock; pass it in' },
      ],
    },
  },
  {
    files: ['server/schema/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/prisma/generated/**', '@prisma/*'],
              allowTypeImports: true,
              message: 'the schema shows rows (types), services fetch them',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['app/**/*.tsx', 'app/**/*.ts'],
    plugins: { 'react-hooks': reactHooks },
    rules: reactHooks.configs.recommended.rules,
  },
  prettier,
)
