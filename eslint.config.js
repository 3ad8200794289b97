import tseslint from 'typescript-eslint'
import importX from 'eslint-plugin-import-x'
import reactHooks from 'eslint-plugin-react-hooks'
import prettier from 'eslint-config-prettier'

/** Dependencies point one way: app -> GraphQL -> server -> lib; in lib: tensor <- engine, image, text <- methods, metrics. */
const zone = (target, from, message) => ({ target, from, message })

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
    plugins: { 'import-x': importX },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      'import-x/no-cycle': 'error',
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
              [
                './lib/engine',
                './lib/image',
                './lib/text',
                './lib/methods',
                './lib/metrics',
                './lib/models',
                './lib/render',
              ],
              'tensor is the bottom',
            ),
            zone(
              './lib/engine',
              ['./lib/methods', './lib/metrics', './lib/image', './lib/text', './lib/models', './lib/render'],
              'engines know tensors only',
            ),
            ...roomZones,
            zone(
              './lib/image',
              ['./lib/methods', './lib/metrics', './lib/engine', './lib/text'],
              'image knows tensors only',
            ),
            zone(
              './lib/text',
              ['./lib/methods', './lib/metrics', './lib/engine', './lib/image'],
              'text knows tensors only',
            ),
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
    files: ['app/**/*.tsx', 'app/**/*.ts'],
    plugins: { 'react-hooks': reactHooks },
    rules: reactHooks.configs.recommended.rules,
  },
  prettier,
)
